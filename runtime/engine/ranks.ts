/** The ranks of a run as the engine sees them. */
import type { RunSettings } from '../../graph/checked.ts';
import type { Ranks } from '../node.ts';
import type { BatchNormGroup, Tensor } from '../tensor/types.ts';

export interface RunRanks extends Ranks {
  /** Gather among `members`, ranks in ascending order, while this thread sleeps; needed for synchronised batch norm. */
  gatherNow?(values: Float32Array, members: readonly number[]): Float32Array;
}

const copy = async (x: Tensor | Float32Array | Int32Array): Promise<any> => ('dtype' in x ? x.clone() : x.slice());

/**
 * The ranks of a run in one process: collectives that have nobody to talk to. Results are new tensors, as with several
 * ranks: callers may dispose of them, and of what they gave.
 */
export const singleRank: Ranks = {
  size: 1,
  rank: 0,
  machines: 1,
  allReduce: copy,
  allGather: copy,
  broadcast: copy,
  barrier: async () => undefined,
};

/**
 * The ranks that batch norm takes together: all, or those of this rank's group of `group_size` (all if that is more than
 * there are). Undefined: each is on its own. @throws Error when the groups do not come out even
 */
export function batchNormGroup(setting: RunSettings['sync_batch_norm'], ranks: RunRanks): BatchNormGroup | undefined {
  const wanted = typeof setting === 'object' ? setting.group_size : setting ? ranks.size : 1;
  const size = Math.min(wanted, ranks.size);
  if (size === 1) return undefined;
  if (ranks.size % size !== 0) {
    throw new Error(`sync_batch_norm: groups of ${size} do not come out even with ${ranks.size} ranks`);
  }
  if (!ranks.gatherNow)
    throw new Error('sync_batch_norm: these ranks cannot exchange statistics within a forward pass');
  const first = ranks.rank - (ranks.rank % size);
  const members = Array.from({ length: size }, (_, i) => first + i);
  const gather = ranks.gatherNow.bind(ranks);
  return { size, gather: (values) => gather(values, members) };
}
