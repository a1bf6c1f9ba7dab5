/** Statistics of low-shot classification over independent samples. */

export interface LowShotStatistics {
  /** [k][cost], fractions */
  readonly mean: readonly number[][];
  readonly max: readonly number[][];
  readonly min: readonly number[][];
  readonly std: readonly number[][];
  /** "k=4": of the cost with the best mean, in percent, two decimals */
  readonly results: Readonly<Record<string, { mean: number; max: number; min: number; std: number }>>;
}

/** @param ap [k][sample][cost]: mean over the classes; @param ks images per class */
export function lowShotStatistics(
  ap: readonly (readonly (readonly number[])[])[],
  ks: readonly number[],
): LowShotStatistics {
  const over = (reduce: (values: readonly number[]) => number): number[][] =>
    ap.map((samples) => samples[0].map((_, cost) => reduce(samples.map((values) => values[cost]))));
  const mean = over(average);
  const max = over((values) => Math.max(...values));
  const min = over((values) => Math.min(...values));
  const std = over((values) => {
    const center = average(values);
    return Math.sqrt(average(values.map((value) => (value - center) ** 2)));
  });
  const percent = (value: number): number => Math.round(value * 1e4) / 100;
  const results = Object.fromEntries(
    ks.map((k, i) => {
      const cost = mean[i].indexOf(Math.max(...mean[i]));
      const at = { mean: percent(mean[i][cost]), max: percent(max[i][cost]) };
      return [`k=${k}`, { ...at, min: percent(min[i][cost]), std: percent(std[i][cost]) }];
    }),
  );
  return { mean, max, min, std, results };
}

const average = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
