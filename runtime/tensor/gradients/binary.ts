import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '../types.ts';
import { type Gradient, sumTo, zeros } from './register.ts';

const { add, cast, div, log, mul, neg, pow, square, sub } = tf;

type Half = (dy: Tensor, a: Tensor, b: Tensor, y: Tensor) => Tensor;

/** [∂/∂a, ∂/∂b] before summing over broadcast axes; a tie of maximum and minimum goes to a. */
const halves: Record<string, readonly [Half, Half]> = {
  Add: [(dy) => dy, (dy) => dy],
  Sub: [(dy) => dy, (dy) => neg(dy)],
  Multiply: [(dy, _a, b) => mul(dy, b), (dy, a) => mul(dy, a)],
  RealDiv: [(dy, _a, b) => div(dy, b), (dy, a, b) => neg(div(mul(dy, a), square(b)))],
  SquaredDifference: [(dy, a, b) => mul(dy, mul(sub(a, b), 2)), (dy, a, b) => mul(dy, mul(sub(b, a), 2))],
  Maximum: [
    (dy, a, b) => mul(dy, cast(tf.greaterEqual(a, b), 'float32')),
    (dy, a, b) => mul(dy, cast(tf.less(a, b), 'float32')),
  ],
  Minimum: [
    (dy, a, b) => mul(dy, cast(tf.lessEqual(a, b), 'float32')),
    (dy, a, b) => mul(dy, cast(tf.greater(a, b), 'float32')),
  ],
  Atan2: [
    (dy, a, b) => div(mul(dy, b), add(square(a), square(b))),
    (dy, a, b) => neg(div(mul(dy, a), add(square(a), square(b)))),
  ],
  Mod: [(dy) => dy, (dy, a, b) => neg(mul(dy, tf.floor(div(a, b))))],
};

const float = (x: Tensor) => cast(x, 'float32');

export const binaryGradients: Record<string, Gradient> = {
  Pow: {
    inputs: ['a', 'b'],
    output: true,
    grad: (dy, [a, b, y]) => ({
      a: () => sumTo(mul(dy, mul(float(b), pow(a, sub(float(b), 1)))), a.shape),
      b: () => sumTo(mul(dy, tf.where(tf.greater(a, 0), mul(y, log(float(a))), tf.zerosLike(y))), b.shape),
    }),
  },
  Prelu: {
    inputs: ['x', 'alpha'],
    grad: (dy, [x, alpha]) => {
      const positive = tf.greater(x, 0);
      return {
        x: () => tf.where(positive, dy, mul(dy, alpha)),
        alpha: () => sumTo(tf.where(positive, tf.zerosLike(dy), mul(dy, x)), alpha.shape),
      };
    },
  },
  FloorDiv: { inputs: ['a', 'b'], grad: (_dy, [a, b]) => ({ a: () => zeros(a), b: () => zeros(b) }) },
  Select: {
    inputs: ['condition'],
    grad: (dy, [condition]) => ({
      condition: () => zeros(condition),
      t: () => mul(dy, cast(condition, 'float32')),
      e: () => mul(dy, cast(tf.logicalNot(condition), 'float32')),
    }),
  },
  AddN: {
    allInputs: true,
    grad: (dy, inputs) => Object.fromEntries(inputs.map((_, i) => [i, () => tf.clone(dy)])),
  },
};
for (const [name, [da, db]] of Object.entries(halves)) {
  binaryGradients[name] = {
    inputs: ['a', 'b'],
    grad: (dy, [a, b, y]) => ({
      a: () => sumTo(da(dy, float(a), float(b), y), a.shape),
      b: () => sumTo(db(dy, float(a), float(b), y), b.shape),
    }),
  };
}
