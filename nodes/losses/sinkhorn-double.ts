/**
 * Sinkhorn-Knopp in double precision, on the host: tensors have no float64, so the scores are read, JavaScript's own
 * doubles do the work, and the assignments go back as float32. Sums over ranks pass through float32.
 */
import { prototypeShares, type SinkhornOptions, type Tools } from './sinkhorn.ts';

export interface HostMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
}

/**
 * exp(scores / epsilon − M), M the largest of all ranks. The reference code does not subtract M in double precision;
 * the result of Sinkhorn does not depend on it, except where exp would overflow.
 */
export async function exponentialsInDouble(tools: Tools, scores: HostMatrix, epsilon: number): Promise<HostMatrix> {
  const data = scores.data.map((score) => score / epsilon);
  const largest = data.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const [shift] = await reduce(tools, Float64Array.of(largest), 'max');
  return { ...scores, data: data.map((x) => Math.exp(x - shift)) };
}

/** Like `sinkhorn`: q [m, K] → [m, K], rows sum to 1. */
export async function sinkhornInDouble(tools: Tools, q: HostMatrix, options: SinkhornOptions): Promise<HostMatrix> {
  const { rows, columns } = q;
  const samples = rows * tools.ranks.size;
  const data = capped(q.data);
  const [total] = await reduce(tools, Float64Array.of(data.reduce((a, b) => a + b, 0)), 'sum');
  for (let i = 0; i < data.length; i++) data[i] /= total;
  const shares = prototypeShares(columns, options.powerLaw);
  for (let i = 0; i < options.iterations; i++) {
    let sums = await reduce(tools, columnSums(data, columns), 'sum');
    if (sums.includes(0)) {
      for (let j = 0; j < data.length; j++) data[j] += 1e-12;
      sums = await reduce(tools, columnSums(data, columns), 'sum');
    }
    const factors = capped(shares.map((share, k) => share / sums[k]));
    for (let j = 0; j < data.length; j++) data[j] *= factors[j % columns];
    normalizeRows(data, columns, 1 / samples);
  }
  normalizeRows(data, columns, 1);
  return { rows, columns, data };
}

function normalizeRows(data: Float64Array, columns: number, sum: number): void {
  for (let start = 0; start < data.length; start += columns) {
    let total = 0;
    for (let k = start; k < start + columns; k++) total += data[k];
    for (let k = start; k < start + columns; k++) data[k] *= sum / total;
  }
}

function columnSums(data: Float64Array, columns: number): Float64Array {
  const sums = new Float64Array(columns);
  for (let j = 0; j < data.length; j++) sums[j % columns] += data[j];
  return sums;
}

/** A copy in which infinite entries are the largest finite one. */
function capped(data: Float64Array): Float64Array {
  const isInfinite = (x: number) => x === Number.POSITIVE_INFINITY;
  if (!data.some(isInfinite)) return data.slice();
  const largest = data.reduce((a, b) => (isInfinite(b) ? a : Math.max(a, b)), 0);
  return data.map((x) => (isInfinite(x) ? largest : x));
}

async function reduce({ tf, ranks }: Tools, values: Float64Array, op: 'sum' | 'max'): Promise<Float64Array> {
  if (ranks.size === 1) return values;
  const mine = tf.tensor1d(Float32Array.from(values));
  const all = await ranks.allReduce(mine, op);
  const result = Float64Array.from(await all.data());
  mine.dispose();
  if (all !== mine) all.dispose();
  return result;
}
