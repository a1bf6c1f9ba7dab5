import type { Tensor, TensorApi } from '../tensor/types.ts';

/** keep·old + (1 − keep)·latest; integers are those of `latest`. */
export function averaged(tf: TensorApi, old: Tensor, latest: Tensor, keep: number): Tensor {
  if (old.dtype !== 'float32' || keep === 0) return tf.add(latest, tf.zerosLike(latest));
  return tf.add(tf.mul(old, keep), tf.mul(latest, 1 - keep));
}
