import type { Ranks } from '../../runtime/node.ts';
import type { TensorApi } from '../../runtime/tensor/types.ts';

const PART = 2 ** 20;

/** Sums of numbers over all ranks. Tensors are float32: each number goes as two parts, exact for counts below 2^40. */
export async function sumOverRanks(tf: TensorApi, ranks: Ranks, values: readonly number[]): Promise<number[]> {
  if (ranks.size === 1) return [...values];
  const high = values.map((value) => Math.trunc(value / PART));
  const low = values.map((value, i) => value - high[i] * PART);
  const own = tf.tensor1d(Float32Array.from([...high, ...low]));
  const all = await ranks.allReduce(own, 'sum');
  const sums = await all.data();
  own.dispose();
  all.dispose();
  return values.map((_, i) => sums[i] * PART + sums[values.length + i]);
}
