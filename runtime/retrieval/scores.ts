/** Scores of instance retrieval. Philbin et al. 2007; Radenović et al. 2018, arXiv:1803.11285. */

/** Positions in the database: `ok` should be found, `junk` counts for nothing. */
export interface GroundTruth {
  readonly ok: readonly number[];
  readonly junk: readonly number[];
}

/**
 * Average precision of positives at `ranks` (ascending, from 0) of `total` positives, each step's precision the mean of
 * before and after.
 */
export function averagePrecisionOfRanks(ranks: readonly number[], total: number): number {
  return ranks.reduce((sum, rank, j) => {
    const before = rank === 0 ? 1 : j / rank;
    return sum + (before + (j + 1) / (rank + 1)) / (2 * total);
  }, 0);
}

export interface RetrievalScores {
  /** mean over the queries that have positives; NaN when none has */
  readonly map: number;
  /** NaN for queries without positives */
  readonly aps: readonly number[];
  /** per kappa, over the same queries */
  readonly precision: readonly number[];
  /** [query][kappa]; NaN for queries without positives */
  readonly precisions: readonly (readonly number[])[];
}

/** @param rankings per query: database positions, best first @param kappas numbers of best results */
export function retrievalScores(
  rankings: readonly ArrayLike<number>[],
  truth: readonly GroundTruth[],
  kappas: readonly number[],
): RetrievalScores {
  const each = truth.map(({ ok, junk }, q) => {
    if (ok.length === 0) return { ap: Number.NaN, precisions: kappas.map(() => Number.NaN) };
    const positions = cleanRanks(rankings[q], new Set(ok), new Set(junk));
    const last = Math.max(...positions) + 1;
    const precisions = kappas.map((kappa) => {
      const k = Math.min(last, kappa);
      return positions.filter((rank) => rank < k).length / k;
    });
    return { ap: averagePrecisionOfRanks(positions, ok.length), precisions };
  });
  const counted = each.filter(({ ap }) => !Number.isNaN(ap));
  const mean = (pick: (one: (typeof each)[number]) => number): number =>
    counted.reduce((sum, one) => sum + pick(one), 0) / counted.length;
  return {
    map: mean(({ ap }) => ap),
    aps: each.map(({ ap }) => ap),
    precision: kappas.map((_, i) => mean(({ precisions }) => precisions[i])),
    precisions: each.map(({ precisions }) => precisions),
  };
}

/** Ranks of the positives as if the junk were not there. */
function cleanRanks(ranking: ArrayLike<number>, ok: ReadonlySet<number>, junk: ReadonlySet<number>): number[] {
  const found: number[] = [];
  let skipped = 0;
  for (let rank = 0; rank < ranking.length; rank++) {
    if (junk.has(ranking[rank])) skipped++;
    else if (ok.has(ranking[rank])) found.push(rank - skipped);
  }
  return found;
}

/** Ground truth of the revisited Oxford and Paris. */
export interface RevisitedTruth {
  readonly easy: readonly number[];
  readonly hard: readonly number[];
  readonly junk: readonly number[];
}

/** easy: easy ones are wanted; medium: easy and hard ones; hard: hard ones. What is not wanted is junk. */
export const REVISITED: Readonly<Record<'easy' | 'medium' | 'hard', (truth: RevisitedTruth) => GroundTruth>> = {
  easy: ({ easy, hard, junk }) => ({ ok: easy, junk: [...junk, ...hard] }),
  medium: ({ easy, hard, junk }) => ({ ok: [...easy, ...hard], junk }),
  hard: ({ easy, hard, junk }) => ({ ok: hard, junk: [...junk, ...easy] }),
};

/** Database positions per query, largest similarity first; of equal ones the first. */
export function rankings(similarities: ArrayLike<number>, queries: number): Int32Array[] {
  const database = similarities.length / queries;
  return Array.from({ length: queries }, (_, q) => {
    const own = Array.from({ length: database }, (_, i) => similarities[q * database + i]);
    return Int32Array.from(own.keys()).sort((a, b) => own[b] - own[a] || a - b);
  });
}

/** Euclidean distances [queries, database] of rows. */
export function distances(queries: ArrayLike<number>, database: ArrayLike<number>, width: number): Float64Array {
  const count = database.length / width;
  return Float64Array.from({ length: (queries.length / width) * count }, (_, at) => {
    const [q, d] = [Math.floor(at / count) * width, (at % count) * width];
    let sum = 0;
    for (let j = 0; j < width; j++) sum += (queries[q + j] - database[d + j]) ** 2;
    return Math.sqrt(sum);
  });
}
