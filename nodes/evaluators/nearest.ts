/** The k nearest rows of a bank by dot product, in blocks, so that neither memory nor one multiplication grows large. */
import type { TensorApi } from '../../runtime/tensor/types.ts';

export interface Matrix {
  readonly rows: number;
  readonly width: number;
  readonly values: Float32Array;
}

export interface Neighbours {
  readonly k: number;
  /** [queries, k], nearest first; equal ones by ascending row */
  readonly similarities: Float32Array;
  readonly rows: Int32Array;
}

const BANK_BLOCK = 8192;
const QUERY_BLOCK = 512;

/** @param k at most the rows of the bank */
export async function nearest(
  tf: TensorApi,
  bank: Matrix,
  queries: Matrix,
  k: number,
  signal?: AbortSignal,
): Promise<Neighbours> {
  const similarities = new Float32Array(queries.rows * k).fill(Number.NEGATIVE_INFINITY);
  const rows = new Int32Array(queries.rows * k).fill(-1);
  for (let start = 0; start < bank.rows; start += BANK_BLOCK) {
    const count = Math.min(BANK_BLOCK, bank.rows - start);
    const bankBlock = block(tf, bank, start, count);
    for (let first = 0; first < queries.rows; first += QUERY_BLOCK) {
      signal?.throwIfAborted();
      const size = Math.min(QUERY_BLOCK, queries.rows - first);
      const products = tf.tidy(() => tf.matMul(block(tf, queries, first, size), bankBlock, false, true));
      const values = await products.data();
      products.dispose();
      for (let q = 0; q < size; q++) {
        const at = (first + q) * k;
        const own = { similarities: similarities.subarray(at, at + k), rows: rows.subarray(at, at + k) };
        offer(own, values.subarray(q * count, (q + 1) * count) as Float32Array, start);
      }
    }
    bankBlock.dispose();
  }
  for (let q = 0; q < queries.rows; q++) sortHeap(similarities, rows, q * k, k);
  return { k, similarities, rows };
}

const block = (tf: TensorApi, matrix: Matrix, start: number, count: number) =>
  tf.tensor2d(matrix.values.subarray(start * matrix.width, (start + count) * matrix.width), [count, matrix.width]);

interface Heap {
  /** the worst one kept is at 0 */
  readonly similarities: Float32Array;
  readonly rows: Int32Array;
}

/** Rows come in ascending order, so that of equal ones those that are kept already stay. */
function offer(heap: Heap, values: Float32Array, firstRow: number): void {
  for (let i = 0; i < values.length; i++) {
    if (!(values[i] > heap.similarities[0])) continue;
    heap.similarities[0] = values[i];
    heap.rows[0] = firstRow + i;
    sink(heap);
  }
}

/** a is a worse neighbour than b */
const worse = ({ similarities, rows }: Heap, a: number, b: number): boolean =>
  similarities[a] < similarities[b] || (similarities[a] === similarities[b] && rows[a] > rows[b]);

function sink(heap: Heap): void {
  const { similarities, rows } = heap;
  for (let at = 0; ; ) {
    let child = 2 * at + 1;
    if (child >= rows.length) return;
    if (child + 1 < rows.length && worse(heap, child + 1, child)) child++;
    if (!worse(heap, child, at)) return;
    [similarities[at], similarities[child]] = [similarities[child], similarities[at]];
    [rows[at], rows[child]] = [rows[child], rows[at]];
    at = child;
  }
}

function sortHeap(similarities: Float32Array, rows: Int32Array, start: number, k: number): void {
  const order = Array.from({ length: k }, (_, i) => ({ similarity: similarities[start + i], row: rows[start + i] }));
  order.sort((a, b) => b.similarity - a.similarity || a.row - b.row);
  order.forEach(({ similarity, row }, i) => {
    similarities[start + i] = similarity;
    rows[start + i] = row;
  });
}
