/** Ranks that are processes, where a test runs in several: set once, before anything is checked. */
import type { Ranks } from '../../runtime/node.ts';

let ranks: Ranks | undefined;
let used = 0;

export function useRealRanks(joined: Ranks): void {
  ranks = joined;
}

/** The ranks of this process's group when there are so many; counts the uses. */
export function realRanks(size: number): Ranks | undefined {
  if (ranks?.size !== size) return undefined;
  used++;
  return ranks;
}

export const realRanksUsed = (): number => used;
