/** Histograms as TensorBoard shows them: buckets that grow by a tenth, away from zero on both sides. */
import { bytesField, doubleField, doublesField } from './protobuf.ts';

export interface Histogram {
  readonly min: number;
  readonly max: number;
  readonly count: number;
  readonly sum: number;
  readonly squares: number;
  /** upper ends of the buckets */
  readonly limits: readonly number[];
  readonly counts: readonly number[];
}

const positive: number[] = [];
for (let limit = 1e-12; limit < 1e20; limit *= 1.1) positive.push(limit);
const LIMITS = Float64Array.from([...positive.toReversed().map((limit) => -limit), 0, ...positive, Number.MAX_VALUE]);

/** Undefined when no value is finite; those that are not are left out. */
export function histogramOf(values: ArrayLike<number>): Histogram | undefined {
  const counts = new Float64Array(LIMITS.length);
  let [min, max, count, sum, squares] = [Infinity, -Infinity, 0, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const x = values[i];
    if (!Number.isFinite(x)) continue;
    counts[bucketOf(x)]++;
    min = Math.min(min, x);
    max = Math.max(max, x);
    sum += x;
    squares += x * x;
    count++;
  }
  if (count === 0) return undefined;
  // of empty buckets only the one before a filled one is written: it says where that begins
  const kept = Array.from(counts.keys()).filter((i) => counts[i] > 0 || counts[i + 1] > 0);
  return { min, max, count, sum, squares, limits: kept.map((i) => LIMITS[i]), counts: kept.map((i) => counts[i]) };
}

/** The first bucket whose limit is above x. */
function bucketOf(x: number): number {
  let [low, high] = [0, LIMITS.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (LIMITS[middle] > x) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** HistogramProto. */
export const histogramMessage = ({ min, max, count, sum, squares, limits, counts }: Histogram): Buffer =>
  Buffer.concat([
    doubleField(1, min),
    doubleField(2, max),
    doubleField(3, count),
    doubleField(4, sum),
    doubleField(5, squares),
    doublesField(6, limits),
    doublesField(7, counts),
  ]);

/** A value of a Summary that is a histogram. */
export const histogramValue = (name: string, histogram: Histogram): Buffer =>
  Buffer.concat([bytesField(1, name), bytesField(5, histogramMessage(histogram))]);
