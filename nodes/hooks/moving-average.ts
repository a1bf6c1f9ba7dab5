import type { Tensor, TensorApi } from '../../runtime/tensor/types.ts';

/** keep·old + (1 − keep)·latest; integers are those of `latest`. */
export function movedAverage(tf: TensorApi, old: Tensor, latest: Tensor, keep: number): Tensor {
  if (old.dtype !== 'float32' || keep === 0) return tf.add(latest, tf.zerosLike(latest));
  return tf.add(tf.mul(old, keep), tf.mul(latest, 1 - keep));
}

/** 1 − (1 − first)·(cos(π·i / n) + 1) / 2: from `first` at iteration 0 to 1 at n. Grill et al. 2020, arXiv:2006.07733. */
export const momentumAt = (iteration: number, iterations: number, first: number): number =>
  1 - 0.5 * (1 - first) * (Math.cos((Math.PI * iteration) / iterations) + 1);
