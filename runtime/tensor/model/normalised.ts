/** Normalisation that has no kernel of its own, from differentiable operations. */
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '../types.ts';

/** x [N, H, W, C] normalised per sample over H, W and each of `groups` groups of channels. Wu and He 2018, arXiv:1803.08494. */
export function groupNorm(x: Tensor, scale: Tensor, offset: Tensor, groups: number, eps = 1e-5): Tensor {
  const [n, h, w, c] = x.shape as [number, number, number, number];
  const grouped = tf.reshape(x, [n, h * w, groups, c / groups]);
  const centred = tf.sub(grouped, tf.mean(grouped, [1, 3], true));
  const variance = tf.mean(tf.square(centred), [1, 3], true);
  const normalised = tf.reshape(tf.mul(centred, tf.rsqrt(tf.add(variance, eps))), x.shape);
  return tf.add(tf.mul(normalised, scale), offset);
}

/** Directions [in, out] scaled, per output, to lengths [1, out]. Salimans and Kingma 2016, arXiv:1602.07868. */
export function scaledWeight(direction: Tensor, length: Tensor): Tensor {
  return tf.mul(direction, tf.div(length, tf.sqrt(tf.sum(tf.square(direction), 0, true))));
}
