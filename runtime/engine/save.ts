/** A checkpoint of the run as it stands. */
import { asidePath, checkpointName } from '../train/checkpoint.ts';
import { type Collected, collect, rankFile, writeRankState } from './saving.ts';
import type { Session } from './session.ts';
import { type GatheredState, gatherShards } from './sharded.ts';
import { trainingSignature } from './signature.ts';

/**
 * Rank 0 writes; the others put their own state into the folder before it gets its name. Returns the folder, '' on the
 * other ranks.
 */
export async function writeCheckpoint(session: Session, reason: string, keep: number, final: boolean): Promise<string> {
  const { plan, counters, running, state, writer, ranks, bus, facts, metrics, checkpoints } = session;
  const { position } = counters;
  const shards = await gatherShards(session, running, state);
  const collected = withShards(collect(plan.graph, running, state), shards);
  session.savedAs = checkpointName(position, final);
  if (ranks.rank > 0) {
    await ranks.barrier(); // the folder is there
    await writeRankState(asidePath(checkpoints, position, final), ranks.rank, collected);
    await ranks.barrier(); // all files are there
    return '';
  }
  const others = async (): Promise<string[]> => {
    await ranks.barrier();
    await ranks.barrier();
    return Array.from({ length: ranks.size - 1 }, (_, i) => rankFile(i + 1));
  };
  session.lastCheckpoint = await writer.write(
    {
      reason,
      final,
      position,
      trainSamples: facts.trainSamples,
      metricsBytes: metrics.bytes,
      signature: trainingSignature(plan.graph),
      document: plan.graph.document,
      ...collected,
      ...(ranks.size > 1 ? { others } : {}),
    },
    keep,
  );
  bus.emit({ type: 'checkpoint', path: session.lastCheckpoint, iteration: position.iteration });
  return session.lastCheckpoint;
}

const withShards = (own: Collected, { tensors, numbers }: GatheredState): Collected => ({
  ...own,
  optimizer: [...own.optimizer, ...tensors],
  numbers: { ...own.numbers, ...numbers },
});
