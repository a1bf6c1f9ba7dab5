/** k-means with Euclidean distances. Lloyd 1982. */
import type { Random } from '../../runtime/random.ts';
import type { FusedOps, TensorApi } from '../../runtime/tensor/types.ts';

export interface Points {
  readonly rows: number;
  readonly width: number;
  /** [rows, width] */
  readonly values: Float32Array;
}

export interface Clustering {
  /** cluster of each row */
  readonly assignments: Int32Array;
  /** squared distance of each row to its centroid */
  readonly distances: Float32Array;
  /** [K, width] */
  readonly centroids: Float32Array;
}

interface Tools {
  readonly tf: TensorApi;
  readonly ops: FusedOps;
  readonly signal: AbortSignal;
}

/** scores that are in memory at once */
const SCORES = 2 ** 25;
/** by how much the two halves of a split cluster differ, as in faiss */
const NUDGE = 1 / 1024;

/**
 * Begin with `clusters` rows drawn without replacement; assign each row to the nearest centroid and move centroids to the
 * mean of theirs, `iterations` times; then assign once more. A centroid without rows takes half of a cluster, chosen with
 * a chance that grows with its size. Rows are worked through in blocks, so that memory is that of the points, the
 * centroids in double precision and 128 MiB.
 */
export async function euclideanKMeans(
  tools: Tools,
  points: Points,
  clusters: number,
  iterations: number,
  random: Random,
): Promise<Clustering> {
  const { width, rows, values } = points;
  const centroids = new Float32Array(clusters * width);
  const first = random.permutation(rows);
  for (let k = 0; k < clusters; k++)
    centroids.set(values.subarray(first[k] * width, (first[k] + 1) * width), k * width);
  for (let i = 0; ; i++) {
    const { assignments, distances } = await assign(tools, points, centroids);
    if (i === iterations) return { assignments, distances, centroids };
    move(points, assignments, centroids, random.fork(i));
  }
}

async function assign(
  { tf, ops, signal }: Tools,
  { rows, width, values }: Points,
  centroids: Float32Array,
): Promise<Omit<Clustering, 'centroids'>> {
  const clusters = centroids.length / width;
  const assignments = new Int32Array(rows);
  const distances = new Float32Array(rows);
  const block = Math.max(1, Math.min(rows, Math.floor(SCORES / clusters)));
  const [targets, halves] = ops.noGrad(() => {
    const all = tf.tensor2d(centroids, [clusters, width]);
    return [all, tf.mul(tf.sum(tf.square(all), 1), 0.5)];
  });
  for (let start = 0; start < rows; start += block) {
    signal.throwIfAborted();
    const count = Math.min(block, rows - start);
    const part = values.subarray(start * width, (start + count) * width);
    const [nearest, score] = ops.noGrad(() => {
      // |x − c|² = |x|² − 2 (x·c − |c|²/2)
      const scores = tf.sub(tf.matMul(tf.tensor2d(part, [count, width]), targets as never, false, true), halves);
      return [tf.argMax(scores, 1), tf.max(scores, 1)];
    });
    assignments.set((await nearest.data()) as Int32Array, start);
    const best = await score.data();
    for (let row = 0; row < count; row++) {
      let length = 0;
      for (let j = row * width; j < (row + 1) * width; j++) length += part[j] * part[j];
      distances[start + row] = Math.max(0, length - 2 * best[row]);
    }
    tf.dispose([nearest, score]);
  }
  tf.dispose([targets, halves]);
  return { assignments, distances };
}

function move({ rows, width, values }: Points, assignments: Int32Array, centroids: Float32Array, random: Random): void {
  const clusters = centroids.length / width;
  const sums = new Float64Array(centroids.length);
  const counts = new Int32Array(clusters);
  for (let row = 0; row < rows; row++) {
    const at = assignments[row] * width;
    const from = row * width;
    for (let j = 0; j < width; j++) sums[at + j] += values[from + j];
    counts[assignments[row]]++;
  }
  for (let k = 0; k < clusters; k++) {
    for (let j = k * width; counts[k] > 0 && j < (k + 1) * width; j++) centroids[j] = sums[j] / counts[k];
  }
  for (let k = 0; k < clusters; k++) {
    if (counts[k] > 0) continue;
    const large = drawLarge(counts, rows, random);
    for (let j = 0; j < width; j++) {
      const value = centroids[large * width + j];
      const nudge = j % 2 === 0 ? NUDGE : -NUDGE;
      centroids[k * width + j] = value * (1 + nudge);
      centroids[large * width + j] = value * (1 - nudge);
    }
    counts[k] = counts[large] >> 1;
    counts[large] -= counts[k];
  }
}

/** A cluster of two rows or more, with a chance in proportion to the rows beyond one; there are fewer clusters than rows. */
function drawLarge(counts: Int32Array, rows: number, random: Random): number {
  let spare = rows;
  for (const count of counts) if (count > 0) spare--;
  let at = random.integer(spare);
  for (const [k, count] of counts.entries()) {
    at -= Math.max(0, count - 1);
    if (at < 0) return k;
  }
  return 0;
}
