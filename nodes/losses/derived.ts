import type { DerivedContext } from '../../graph/node-type.ts';

type Context = Pick<DerivedContext<unknown>, 'symbols' | 'batchSize' | 'ranks'>;

/** Those of these facts that are known before the run. */
export function known(facts: Readonly<Record<string, number | undefined>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(facts).filter((entry): entry is [string, number] => entry[1] !== undefined));
}

/** Images of a batch over all ranks. */
export const globalBatch = ({ batchSize, ranks }: Context): number | undefined =>
  batchSize === undefined ? undefined : batchSize * ranks;

/** Embeddings kept over all ranks and on each: no more than whole batches of all ranks. */
export function queueLengths(wanted: number, batch: number, ranks: number): { all: number; each: number } {
  const all = wanted - (wanted % batch);
  return { all, each: all / ranks };
}

/** Of the losses with crops and a queue. */
export function queueFacts(context: Context, wanted: number): Readonly<Record<string, number>> {
  const batch = globalBatch(context);
  const lengths = batch === undefined ? undefined : queueLengths(wanted, batch, context.ranks);
  return known({ num_crops: context.symbols.V, queue_length: lengths?.all, local_queue_length: lengths?.each });
}
