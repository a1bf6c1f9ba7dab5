import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '../types.ts';
import type { Gradient } from './register.ts';

const { mul, reshape, sub } = tf;

const axesOf = (axis: number | number[] | undefined, x: Tensor): number[] =>
  tf.util.parseAxisParam(axis as number[], x.shape);

/** The shape of x with the reduced axes kept as 1: a reduced tensor of this shape broadcasts against x. */
const keptShape = (x: Tensor, axes: number[]): number[] =>
  tf.backend_util.expandShapeToKeepDim(tf.backend_util.computeOutAndReduceShapes(x.shape, axes)[0], axes);

function spread(dy: Tensor, x: Tensor, axes: number[]): Tensor {
  return tf.broadcastTo(reshape(dy, keptShape(x, axes)), x.shape);
}

/** dy goes to every element that equals the extremum. */
const extremum: Gradient = {
  inputs: ['x'],
  output: true,
  grad: (dy, [x, y], { reductionIndices, axis }) => {
    const shape = keptShape(x, axesOf(reductionIndices ?? axis, x));
    return { x: () => mul(reshape(dy, shape), tf.cast(tf.equal(x, reshape(y, shape)), 'float32')) };
  },
};

export const reduceGradients: Record<string, Gradient> = {
  Sum: { inputs: ['x'], grad: (dy, [x], { axis }) => ({ x: () => spread(dy, x, axesOf(axis, x)) }) },
  Mean: {
    inputs: ['x'],
    grad: (dy, [x], { axis }) => {
      const axes = axesOf(axis, x);
      const count = axes.reduce((n, a) => n * x.shape[a], 1);
      return { x: () => spread(mul(dy, 1 / count), x, axes) };
    },
  },
  Max: extremum,
  Min: extremum,
  Prod: {
    inputs: ['x'],
    grad: (dy, [x], { axis }) => ({
      x: () => {
        // the product of the others = product of those before × product of those after
        const axes = axesOf(axis, x);
        const rest = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
        const order = [...rest, ...axes];
        const moved = tf.transpose(x, order);
        const flat = reshape(moved, [...rest.map((i) => x.shape[i]), -1]);
        const others = mul(tf.cumprod(flat, rest.length, true), tf.cumprod(flat, rest.length, true, true));
        const undo = tf.backend_util.getUndoAxesPermutation(order);
        return mul(spread(dy, x, axes), tf.transpose(reshape(others, moved.shape), undo));
      },
    }),
  },
  Cumsum: {
    grad: (dy, _saved, { axis, exclusive, reverse }) => ({ x: () => tf.cumsum(dy, axis, exclusive, !reverse) }),
  },
  Softmax: {
    output: true,
    grad: (dy, [y], { dim }) => {
      const weighted = mul(dy, y);
      return { logits: () => sub(weighted, mul(tf.sum(weighted, dim, true), y)) };
    },
  },
  LogSoftmax: {
    output: true,
    grad: (dy, [y], { axis }) => ({ logits: () => sub(dy, mul(tf.sum(dy, axis, true), tf.exp(y))) }),
  },
};
