/** Tokens [N, T, D] of vision transformers. Dosovitskiy et al. 2021, arXiv:2010.11929; Vaswani et al. 2017, arXiv:1706.03762. */
import * as tf from '@tensorflow/tfjs-core';
import type { Tokens } from '../../../graph/model/layers.ts';
import type { FusedOps, Tensor } from '../types.ts';

/** A function of rows [N, D] on features, or on each token. */
export function eachToken(x: Tensor, f: (rows: Tensor) => Tensor): Tensor {
  if (x.shape.length === 2) return f(x);
  const y = f(tf.reshape(x, [-1, x.shape.at(-1)!]));
  return tf.reshape(y, [...x.shape.slice(0, -1), y.shape[1]!]);
}

/** Each vector is a map of one place, whose one group of channels is normalised. */
export function layerNorm(ops: FusedOps, x: Tensor, scale: Tensor, offset: Tensor, eps?: number): Tensor {
  const rows = tf.reshape(x, [-1, 1, 1, x.shape.at(-1)!]);
  return tf.reshape(ops.layerNorm2d(rows, scale, offset, eps), x.shape);
}

/** q, k and v lie one after another along the features, each with its heads one after another. */
export function selfAttention(x: Tensor, heads: number): Tensor {
  const [n, tokens, width] = x.shape as [number, number, number];
  const each = width / 3 / heads;
  const [q, k, v] = tf
    .split(x, 3, 2)
    .map((part) => tf.transpose(tf.reshape(part, [n, tokens, heads, each]), [0, 2, 1, 3]));
  const weights = tf.softmax(tf.matMul(tf.mul(q, 1 / Math.sqrt(each)), k, false, true));
  return tf.reshape(tf.transpose(tf.matMul(weights, v), [0, 2, 1, 3]), [n, tokens, width / 3]);
}

export function addPositions(x: Tensor, layer: Tokens, classToken: Tensor | null, positions: Tensor): Tensor {
  const [n, rows, columns, features] = x.shape as [number, number, number, number];
  const flat = tf.reshape(x, [n, rows * columns, features]);
  const tokens = classToken ? tf.concat([tf.tile(classToken, [n, 1, 1]), flat], 1) : flat;
  return tf.add(tokens, fitted(positions, layer, rows, columns));
}

/** The positions of a map of another size: those of places interpolated, that of the class token as it is. */
function fitted(positions: Tensor, layer: Tokens, rows: number, columns: number): Tensor {
  if (rows === layer.rows && columns === layer.columns) return positions;
  const own = layer.classToken ? 1 : 0;
  const count = layer.rows * layer.columns;
  const places = tf.reshape(tf.slice(positions, [0, own, 0], [1, count, layer.features]), [count, layer.features]);
  const down = bicubic(layer.rows, rows);
  const across = bicubic(layer.columns, columns);
  const weights = new Float32Array(rows * columns * count);
  for (let to = 0; to < rows * columns; to++) {
    for (let from = 0; from < count; from++) {
      const row = down[Math.floor(to / columns) * layer.rows + Math.floor(from / layer.columns)];
      weights[to * count + from] = row * across[(to % columns) * layer.columns + (from % layer.columns)];
    }
  }
  const moved = tf.matMul(tf.tensor2d(weights, [rows * columns, count]), places as never);
  const all = tf.reshape(moved, [1, rows * columns, layer.features]);
  return own ? tf.concat([tf.slice(positions, [0, 0, 0], [1, 1, -1]), all], 1) : all;
}

/** [to, from]: Keys' kernel with a = −0.75, centres of places, edges repeated: PyTorch's bicubic without aligned corners. */
function bicubic(from: number, to: number): Float32Array {
  const weights = new Float32Array(to * from);
  const a = -0.75;
  const kernel = (x: number): number => {
    const d = Math.abs(x);
    if (d <= 1) return (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1;
    return d < 2 ? a * d ** 3 - 5 * a * d ** 2 + 8 * a * d - 4 * a : 0;
  };
  for (let i = 0; i < to; i++) {
    const at = ((i + 0.5) * from) / to - 0.5;
    const first = Math.floor(at) - 1;
    for (let j = first; j < first + 4; j++) {
      weights[i * from + Math.min(Math.max(j, 0), from - 1)] += kernel(at - j);
    }
  }
  return weights;
}
