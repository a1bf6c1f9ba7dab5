/** Layers without parameters, as differentiable functions that save little. */
import * as tf from '@tensorflow/tfjs-core';
import type { Activation, LocalResponseNorm } from '../../../graph/model/layers.ts';
import type { Random } from '../../random.ts';
import { differentiable } from '../differentiable.ts';
import type { Tensor } from '../types.ts';

export const activations: Readonly<Record<Activation['op'], (x: Tensor) => Tensor>> = {
  relu: (x) => tf.relu(x),
  sigmoid: (x) => tf.sigmoid(x),
  tanh: (x) => tf.tanh(x),
  /** x · σ(x); Ramachandran et al. 2017, arXiv:1710.05941 */
  swish: (x) =>
    differentiable(
      { x },
      () => ({ output: tf.mul(x, tf.sigmoid(x)), save: [x] }),
      (dy, [saved]) => ({
        x: () => {
          const s = tf.sigmoid(saved);
          return tf.mul(dy, tf.mul(s, tf.add(tf.mul(saved, tf.sub(1, s)), 1)));
        },
      }),
    ),
  /** x · Φ(x) with the exact normal distribution; Hendrycks and Gimpel 2016, arXiv:1606.08415 */
  gelu: (x) =>
    differentiable(
      { x },
      () => ({ output: tf.mul(x, normalCdf(x)), save: [x] }),
      (dy, [saved]) => ({
        x: () => {
          const density = tf.mul(tf.exp(tf.mul(tf.square(saved), -0.5)), 1 / Math.sqrt(2 * Math.PI));
          return tf.mul(dy, tf.add(normalCdf(saved), tf.mul(saved, density)));
        },
      }),
    ),
};

const normalCdf = (x: Tensor): Tensor => tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5);

/** a + b of one shape; unlike tf.add it keeps neither for the gradient. */
export function sum(a: Tensor, b: Tensor): Tensor {
  return differentiable(
    { a, b },
    () => ({ output: tf.add(a, b), save: [] }),
    (dy) => ({ a: () => tf.clone(dy), b: () => tf.clone(dy) }),
  );
}

/** Zero with probability p, the rest scaled by 1 / (1 - p). Srivastava et al. 2014. */
export function dropout(x: Tensor, p: number, random: Random): Tensor {
  const mask = new Float32Array(x.size);
  for (let i = 0; i < mask.length; i++) mask[i] = random.next() < p ? 0 : 1 / (1 - p);
  const kept = tf.tensor(mask, x.shape);
  return differentiable(
    { x },
    () => ({ output: tf.mul(x, kept), save: [kept] }),
    (dy, [saved]) => ({ x: () => tf.mul(dy, saved) }),
  );
}

/** PyTorch's LocalResponseNorm: the window holds size / 2 channels before and (size - 1) / 2 behind. */
export function localResponseNorm(x: Tensor, { size, alpha, beta, k }: LocalResponseNorm): Tensor {
  const channels = x.shape.at(-1)!;
  const rows = (t: Tensor) => tf.reshape(t, [-1, channels]) as tf.Tensor2D;
  const band = () => {
    const values = new Float32Array(channels * channels);
    for (let to = 0; to < channels; to++) {
      const first = Math.max(to - Math.floor(size / 2), 0);
      const last = Math.min(to + Math.floor((size - 1) / 2), channels - 1);
      for (let from = first; from <= last; from++) values[from * channels + to] = 1;
    }
    return tf.tensor2d(values, [channels, channels]);
  };
  return differentiable(
    { x },
    () => {
      const divisor = tf.add(tf.mul(tf.matMul(rows(tf.square(x)), band()), alpha / size), k);
      const y = tf.mul(rows(x), tf.pow(divisor, -beta));
      return { output: tf.reshape(y, x.shape), save: [x, divisor] };
    },
    (dy, [saved, divisor]) => ({
      x: () => {
        const direct = tf.mul(rows(dy), tf.pow(divisor, -beta));
        const reach = tf.matMul(tf.div(tf.mul(direct, rows(saved)), divisor) as tf.Tensor2D, band(), false, true);
        return tf.reshape(tf.sub(direct, tf.mul(tf.mul(rows(saved), reach), (2 * alpha * beta) / size)), x.shape);
      },
    }),
  );
}

/** [N, H, W, C] → [N, C·H·W], PyTorch's order. */
export function flatten(x: Tensor): Tensor {
  const [n, h, w] = x.shape;
  const ordered = x.shape.length === 4 && h! * w! > 1 ? tf.transpose(x, [0, 3, 1, 2]) : x;
  return tf.reshape(ordered, [n, -1]);
}
