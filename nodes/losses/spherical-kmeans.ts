/** k-means on the unit sphere, over the rows of all ranks. Caron et al. 2020, arXiv:2006.09882, appendix D. */
import type { Tensor } from '../../runtime/tensor/types.ts';
import type { Tools } from './sinkhorn.ts';

export interface Rows {
  readonly rows: number;
  readonly width: number;
  /** [rows, width] */
  readonly values: Float32Array;
}

export interface Clusters {
  /** [K, width], rows of length 1 */
  readonly centroids: Float32Array;
  /** of this rank's rows */
  readonly assignments: Int32Array;
}

const BLOCK = 16384;

/**
 * Assign rows to the centroid of the largest dot product, move centroids to the mean of theirs and back to the sphere:
 * `iterations` times, then assign once more. A centroid without rows stays where it is.
 */
export async function sphericalKMeans(
  tools: Tools,
  bank: Rows,
  initial: Float32Array,
  iterations: number,
): Promise<Clusters> {
  const { width } = bank;
  const centroids = initial.slice();
  const count = centroids.length / width;
  for (let i = 0; ; i++) {
    const assignments = await nearestCentroids(tools, bank, centroids, count);
    if (i === iterations) return { centroids, assignments };
    const sums = await totals(tools, bank, assignments, count);
    for (let k = 0; k < count; k++) {
      const members = sums[count * width + k];
      const own = centroids.subarray(k * width, (k + 1) * width);
      if (members > 0) own.set(own.map((_, j) => sums[k * width + j] / members));
      const length = Math.max(Math.sqrt(own.reduce((sum, x) => sum + x * x, 0)), 1e-12);
      own.set(own.map((x) => x / length));
    }
  }
}

async function nearestCentroids(
  { tf, ops }: Tools,
  bank: Rows,
  centroids: Float32Array,
  count: number,
): Promise<Int32Array> {
  const { rows, width, values } = bank;
  const result = new Int32Array(rows);
  const targets = ops.noGrad(() => tf.tensor2d(centroids, [count, width]));
  for (let start = 0; start < rows; start += BLOCK) {
    const end = Math.min(start + BLOCK, rows);
    const nearest = ops.noGrad(() => {
      const block = tf.tensor2d(values.subarray(start * width, end * width), [end - start, width]);
      return tf.argMax(tf.matMul(block, targets as never, false, true), 1);
    });
    result.set((await nearest.data()) as Int32Array, start);
    nearest.dispose();
  }
  targets.dispose();
  return result;
}

/** Sums of the rows of each cluster, then their numbers, over all ranks: [K·width + K]. */
async function totals(
  { tf, ops, ranks }: Tools,
  { rows, width, values }: Rows,
  assignments: Int32Array,
  count: number,
): Promise<Float32Array> {
  const sums = new Float64Array(count * width + count);
  for (let row = 0; row < rows; row++) {
    const k = assignments[row];
    for (let j = 0; j < width; j++) sums[k * width + j] += values[row * width + j];
    sums[count * width + k] += 1;
  }
  const mine: Tensor = ops.noGrad(() => tf.tensor1d(Float32Array.from(sums)));
  const all = await ranks.allReduce(mine, 'sum');
  const result = Float32Array.from(await all.data());
  mine.dispose();
  all.dispose();
  return result;
}
