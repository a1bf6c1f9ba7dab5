/** How ranks end, and which of them was the cause. */

export interface RankEnd {
  readonly rank: number;
  /** null: killed by a signal */
  readonly code: number | null;
  readonly message: string;
  /** the rank that this one blames for its end */
  readonly because?: number;
  /** the launcher ended it: another had failed, and it neither ended nor told of a failure of its own */
  readonly ended?: boolean;
}

/**
 * The rank to blame for the end of a group: the first that ended by itself, or one that had to be ended and that the
 * others blame, in their words. @param ends in the order in which they came
 */
export function culprit(ends: readonly RankEnd[]): RankEnd | undefined {
  const failed = ends.filter(({ code }) => code !== 0);
  const own = failed.filter(({ ended }) => !ended);
  const first = own.find(({ because }) => because === undefined) ?? own[0] ?? failed[0];
  const blamed = failed.find(({ rank, ended }) => ended && own.some(({ because }) => because === rank));
  if (first?.because === undefined || !blamed) return first;
  return { ...blamed, message: own.find(({ because }) => because === blamed.rank)!.message };
}

/** Tell the launcher, if there is one, why this rank ends. */
export function reportEnd(error: unknown): void {
  const { message, rank } = rankErrorIn(error);
  process.send?.({ message, because: rank });
}

/** The message of the error, and the rank that it or one of its causes blames. */
function rankErrorIn(error: unknown): { readonly message: string; readonly rank?: number } {
  const message = error instanceof Error ? error.message : String(error);
  for (let e = error; e instanceof Error; e = e.cause) {
    if (e.name === 'RankError' && 'rank' in e && typeof e.rank === 'number') return { message, rank: e.rank };
  }
  return { message };
}
