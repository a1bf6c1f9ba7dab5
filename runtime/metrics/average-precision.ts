/** Average precision as VISSL's meters and its SVM evaluation take it: the area under the interpolated curve. */

export interface PrecisionRecall {
  /** after each row, best score first */
  readonly precision: Float64Array;
  readonly recall: Float64Array;
  readonly scores: Float64Array;
  readonly ap: number;
}

/**
 * Rows with weight 0 are left out; a target above 0 is positive. Rows of equal scores: the later one counts as better
 * (ascending order reversed). NaN and infinite scores keep their place in that order, NaN counting as the best.
 * Without positives recall and ap are NaN, as 0 / 0.
 */
export function precisionRecall(
  targets: ArrayLike<number>,
  scores: ArrayLike<number>,
  weights?: ArrayLike<number>,
): PrecisionRecall {
  const kept = Array.from({ length: targets.length }, (_, i) => i).filter((i) => !weights || weights[i] === 1);
  const key = (i: number) => (Number.isNaN(scores[i]) ? Number.POSITIVE_INFINITY : scores[i]);
  const later = (a: number, b: number) => Number(Number.isNaN(scores[b])) - Number(Number.isNaN(scores[a])) || b - a;
  kept.sort((a, b) => (key(a) === key(b) ? later(a, b) : key(b) - key(a)));
  const positives = kept.reduce((sum, i) => sum + (targets[i] > 0 ? 1 : 0), 0);
  const precision = new Float64Array(kept.length);
  const recall = new Float64Array(kept.length);
  let hits = 0;
  kept.forEach((i, rank) => {
    if (targets[i] > 0) hits++;
    precision[rank] = hits / (rank + 1);
    recall[rank] = hits / positives;
  });
  return {
    precision,
    recall,
    scores: Float64Array.from(kept, (i) => scores[i]),
    ap: averagePrecision(recall, precision),
  };
}

/** Sum over changes of recall of (rᵢ − rᵢ₋₁)·pᵢ, the precision made non-increasing from the right. */
export function averagePrecision(recall: ArrayLike<number>, precision: ArrayLike<number>): number {
  const count = recall.length;
  const best = new Float64Array(count + 1);
  for (let i = count - 1; i >= 0; i--) best[i] = larger(best[i + 1], precision[i]);
  let sum = 0;
  let before = 0;
  for (let i = 0; i <= count; i++) {
    const at = i < count ? recall[i] : 1;
    if (at !== before) sum += (at - before) * best[i];
    before = at;
  }
  return sum;
}

/** A NaN wins. */
const larger = (a: number, b: number): number => (a >= b || Number.isNaN(a) ? a : b);
