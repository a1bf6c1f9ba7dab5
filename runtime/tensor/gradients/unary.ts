import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '../types.ts';
import { type Attributes, type Gradient, zeros } from './register.ts';

const { add, cast, cos, cosh, div, exp, mul, neg, pow, scalar, sigmoid, sign, sin, sinh, sqrt, square, step, sub } = tf;

/** dx from dy and x */
const ofInput: Record<string, (dy: Tensor, x: Tensor, attributes: Attributes) => Tensor> = {
  Abs: (dy, x) => mul(dy, sign(x)),
  Acos: (dy, x) => neg(div(dy, sqrt(sub(1, square(x))))),
  Acosh: (dy, x) => div(dy, sqrt(sub(square(x), 1))),
  Asin: (dy, x) => div(dy, sqrt(sub(1, square(x)))),
  Asinh: (dy, x) => div(dy, sqrt(add(square(x), 1))),
  Atan: (dy, x) => div(dy, add(square(x), 1)),
  Atanh: (dy, x) => div(dy, sub(1, square(x))),
  ClipByValue: (dy, x, { clipValueMin, clipValueMax }) =>
    tf.where(tf.logicalAnd(tf.greaterEqual(x, clipValueMin), tf.lessEqual(x, clipValueMax)), dy, zeros(dy)),
  Cos: (dy, x) => neg(mul(dy, sin(x))),
  Cosh: (dy, x) => mul(dy, sinh(x)),
  Erf: (dy, x) => mul(dy, mul(exp(neg(square(x))), 2 / Math.sqrt(Math.PI))),
  LeakyRelu: (dy, x, { alpha }) => mul(dy, step(x, alpha)),
  Log: (dy, x) => div(dy, x),
  Log1p: (dy, x) => div(dy, add(x, 1)),
  Sin: (dy, x) => mul(dy, cos(x)),
  Sinh: (dy, x) => mul(dy, cosh(x)),
  Softplus: (dy, x) => mul(dy, sigmoid(x)),
  Square: (dy, x) => mul(dy, mul(x, 2)),
  Tan: (dy, x) => div(dy, square(cos(x))),
};

/** dx from dy and y, where that is enough: y is kept alive by its readers anyway */
const ofOutput: Record<string, (dy: Tensor, y: Tensor) => Tensor> = {
  Elu: (dy, y) => mul(dy, tf.where(tf.greater(y, 0), tf.onesLike(y), add(y, 1))),
  Exp: (dy, y) => mul(dy, y),
  Expm1: (dy, y) => mul(dy, add(y, 1)),
  Reciprocal: (dy, y) => neg(mul(dy, square(y))),
  Relu: (dy, y) => mul(dy, step(y)),
  Relu6: (dy, y) => mul(dy, cast(tf.logicalAnd(tf.greater(y, 0), tf.less(y, 6)), 'float32')),
  Rsqrt: (dy, y) => mul(dy, mul(pow(y, scalar(3)), -0.5)),
  Selu: (dy, y) => mul(dy, tf.where(tf.greater(y, 0), tf.fill(y.shape, SELU_SCALE), add(y, SELU_SCALE * SELU_ALPHA))),
  Sigmoid: (dy, y) => mul(dy, mul(y, sub(1, y))),
  Sqrt: (dy, y) => div(dy, mul(y, 2)),
  Tanh: (dy, y) => mul(dy, sub(1, square(y))),
};
const SELU_SCALE = tf.backend_util.SELU_SCALE;
const SELU_ALPHA = tf.backend_util.SELU_SCALEALPHA / tf.backend_util.SELU_SCALE;

const constant = [
  'Ceil',
  'Floor',
  'Round',
  'Sign',
  'Step',
  'IsFinite',
  'IsInf',
  'IsNan',
  'OnesLike',
  'ZerosLike',
  'ArgMax',
  'ArgMin',
];

export const unaryGradients: Record<string, Gradient> = {
  Neg: { grad: (dy) => ({ x: () => neg(dy) }) },
  Identity: { grad: (dy) => ({ x: () => cast(dy, 'float32') }) },
  Cast: { grad: (dy) => ({ x: () => cast(dy, 'float32') }) },
};
for (const [name, f] of Object.entries(ofInput)) {
  unaryGradients[name] = {
    inputs: ['x'],
    grad: (dy, [x], attributes) => ({ x: () => f(dy, cast(x, 'float32'), attributes) }),
  };
}
for (const [name, f] of Object.entries(ofOutput)) {
  unaryGradients[name] = { output: true, grad: (dy, [y]) => ({ x: () => f(dy, y) }) };
}
for (const name of constant) unaryGradients[name] = { inputs: ['x'], grad: (_dy, [x]) => ({ x: () => zeros(x) }) };
unaryGradients.OneHot = { inputs: ['indices'], grad: (_dy, [indices]) => ({ indices: () => zeros(indices) }) };
