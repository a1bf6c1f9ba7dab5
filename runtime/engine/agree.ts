/** What ranks must have in common: the values they begin with, the statistics they evaluate with, when they stop. */
import type { Ranks } from '../node.ts';
import type { TensorBackend, Variable } from '../tensor/types.ts';
import { apart, inBuckets } from './average.ts';
import { owners } from './models.ts';
import type { RunningGraph } from './running.ts';
import type { Stop } from './stop.ts';

interface Host {
  readonly backend: TensorBackend;
  readonly ranks: Ranks;
}

/** Whether it is so on any rank. */
export async function onAnyRank({ backend, ranks }: Host, flag: boolean): Promise<boolean> {
  if (ranks.size === 1) return flag;
  return backend.scopeAsync(async () => {
    const most = await ranks.allReduce(backend.tf.scalar(flag ? 1 : 0), 'max');
    return (await most.data())[0] > 0;
  });
}

/** Where no loss is exchanged that could carry it: all ranks stop here when one was asked to. @throws Stopped */
export async function stopTogether(host: Host & { readonly stop: Stop }): Promise<void> {
  const { ranks, stop } = host;
  if (ranks.size > 1 && (await onAnyRank(host, stop.reason !== undefined))) stop.agree();
  stop.check();
}

/** Every rank begins with rank 0's parameters and buffers. */
export async function shareModels(host: Host, { models }: RunningGraph): Promise<void> {
  await valuesFrom(
    host,
    0,
    owners(models).flatMap(({ model }) => [...model.variables.values()].map((v) => v.variable)),
  );
}

/**
 * Running statistics of rank 0 on every rank, before anything is evaluated with them. PyTorch's
 * DistributedDataParallel sends them before every forward pass; training does not read them, so that rank 0's are the
 * same after either.
 */
export async function shareBuffers(host: Host, { models }: RunningGraph): Promise<void> {
  const buffers = owners(models).flatMap(({ model }) =>
    [...model.variables.values()].filter(({ kind }) => kind.startsWith('running_')).map(({ variable }) => variable),
  );
  await valuesFrom(host, 0, buffers);
}

/** Every rank takes the values that these variables have on one of them. */
export async function valuesFrom(
  { backend, ranks }: Host,
  rank: number,
  variables: readonly Variable[],
): Promise<void> {
  if (ranks.size === 1) return;
  const { tf, scope } = backend;
  for (const dtype of ['float32', 'int32'] as const) {
    for (const bucket of inBuckets(variables.filter((variable) => variable.dtype === dtype))) {
      await backend.scopeAsync(async () => {
        const flat = scope(() => tf.concat(bucket.map((variable) => tf.reshape(variable, [-1]))));
        const given = await ranks.broadcast(flat, rank);
        const values = apart(
          { tf, scope },
          given,
          bucket.map(({ shape }) => shape),
        );
        if (ranks.rank !== rank) for (const [i, variable] of bucket.entries()) variable.assign(values[i]);
      });
    }
  }
}
