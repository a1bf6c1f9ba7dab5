/** Cross-validation as scikit-learn does it for VISSL's SVMs. */

/**
 * Fold per row: as equal shares of every class in every fold as can be, rows in their order (StratifiedKFold without
 * shuffling).
 * @throws Error when no class has a row for every fold
 */
export function stratifiedFolds(labels: ArrayLike<number>, folds: number): Int32Array {
  const classes: number[] = [];
  const codes = Array.from(labels, (label) => {
    if (!classes.includes(label)) classes.push(label);
    return classes.indexOf(label);
  });
  const sorted = codes.toSorted((a, b) => a - b);
  const counts = classes.map((_, k) => codes.filter((code) => code === k).length);
  if (counts.every((count) => count < folds)) {
    throw new Error(`no class has the ${folds} rows that ${folds} folds need: there are ${counts.join(' and ')}`);
  }
  const result = new Int32Array(codes.length);
  classes.forEach((_, k) => {
    const each = Array.from(
      { length: folds },
      (_, fold) => sorted.filter((code, i) => i % folds === fold && code === k).length,
    );
    const order = each.flatMap((count, fold) => Array.from({ length: count }, () => fold));
    let next = 0;
    codes.forEach((code, i) => {
      if (code === k) result[i] = order[next++];
    });
  });
  return result;
}

/**
 * Average precision as a sum of steps: Σ (Rₙ − Rₙ₋₁)·Pₙ over the distinct scores, without interpolation. 0 when there
 * is no positive row.
 */
export function stepAveragePrecision(positive: ArrayLike<boolean>, scores: ArrayLike<number>): number {
  const order = Array.from({ length: scores.length }, (_, i) => i).sort((a, b) => scores[b] - scores[a]);
  const total = order.filter((i) => positive[i]).length;
  if (total === 0) return 0;
  let hits = 0;
  let before = 0;
  let sum = 0;
  order.forEach((i, rank) => {
    if (positive[i]) hits++;
    const next = order[rank + 1];
    if (next !== undefined && scores[next] === scores[i]) return;
    sum += ((hits - before) / total) * (hits / (rank + 1));
    before = hits;
  });
  return sum;
}
