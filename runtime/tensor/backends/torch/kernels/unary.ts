/** Functions of one tensor, value by value. */
import * as tf from '@tensorflow/tfjs-core';
import type { Handle } from '../../../native/addon.ts';
import { addon, aten, scalarType } from '../aten.ts';
import { cast, exact, h, result, share, typeOf } from '../data.ts';
import type { Attributes, Kernel, Kernels } from '../register.ts';

/** Exact enough in bfloat16: these keep the format of their input. */
const keepFormat: Record<string, string> = { Abs: 'abs', Neg: 'neg', Relu: 'relu', Sign: 'sgn' };

/** Computed in float32, and so is the result. */
const inFloat: Record<string, string> = {
  Acos: 'acos',
  Acosh: 'acosh',
  Asin: 'asin',
  Asinh: 'asinh',
  Atan: 'atan',
  Atanh: 'atanh',
  Cos: 'cos',
  Cosh: 'cosh',
  Erf: 'erf',
  Exp: 'exp',
  Expm1: 'expm1',
  Log: 'log',
  Log1p: 'log1p',
  Reciprocal: 'reciprocal',
  Rsqrt: 'rsqrt',
  Sigmoid: 'sigmoid',
  Sin: 'sin',
  Sinh: 'sinh',
  Sqrt: 'sqrt',
  Tan: 'tan',
  Tanh: 'tanh',
};

const onFloats: Record<string, string> = { Ceil: 'ceil', Floor: 'floor', Round: 'round', Square: 'square' };

const conditions: Record<string, string> = {
  IsFinite: 'isfinite',
  IsInf: 'isinf',
  IsNan: 'isnan',
  LogicalNot: 'logical_not',
};

const kernels: Record<string, Kernel> = {};
const each = (table: Record<string, string>, make: (f: (x: Handle) => Handle) => Kernel): void => {
  for (const [name, operator] of Object.entries(table)) kernels[name] = make(aten(operator) as (x: Handle) => Handle);
};
each(
  keepFormat,
  (f) =>
    ({ x }) =>
      result(f(h(x)), x.dtype, x.shape),
);
each(
  inFloat,
  (f) =>
    ({ x }) =>
      result(f(exact(x)), 'float32', x.shape),
);
each(
  onFloats,
  (f) =>
    ({ x }) =>
      x.dtype === 'int32' && f !== aten('square') ? share(x) : result(f(exact(x)), x.dtype, x.shape),
);
each(
  conditions,
  (f) =>
    ({ x }) =>
      result(f(h(x)), 'bool', x.shape),
);

const clamp = aten('clamp');
const leaky = aten('leaky_relu');
const elu = aten('elu');
const where = aten('where.self');
const ge = aten('ge.Scalar');
const gt = aten('gt.Scalar');
const mul = aten('mul.Tensor');
const mulScalar = aten('mul.Scalar');
const addScalar = aten('add.Scalar');
const softplus = aten('softplus');
const isnan = aten('isnan');

/** x < 0 → x + 1, the derivative of ELU by its result, times dy */
function eluGradient(dy: Handle, y: Handle): Handle {
  return where(ge(y, 0), dy, mul(dy, addScalar(y, 1)));
}

/** 1 above zero, alpha at zero and below, NaN where x is NaN */
function step(x: Handle, alpha: number): Handle {
  const positive = cast(gt(x, 0), scalarType.float32);
  const value = alpha === 0 ? positive : addScalar(mulScalar(positive, 1 - alpha), alpha);
  return where(isnan(x), x, value);
}

export const unaryKernels: Kernels = {
  ...kernels,
  ClipByValue: ({ x }, { clipValueMin, clipValueMax }) =>
    result(clamp(h(x), clipValueMin, clipValueMax), x.dtype, x.shape),
  Relu6: ({ x }) => result(clamp(h(x), 0, 6), x.dtype, x.shape),
  LeakyRelu: ({ x }, { alpha }) => result(leaky(floating(h(x)), alpha), 'float32', x.shape),
  Elu: ({ x }) => result(elu(floating(h(x)), 1, 1, 1), 'float32', x.shape),
  EluGrad: ({ dy, y }) => result(eluGradient(exact(dy), exact(y)), 'float32', y.shape),
  Selu: ({ x }) => result(elu(floating(exact(x)), SELU_ALPHA, SELU_SCALE, 1), 'float32', x.shape),
  Softplus: ({ x }) => result(softplus(floating(exact(x)), 1, SOFTPLUS_THRESHOLD), 'float32', x.shape),
  Step: ({ x }, { alpha = 0 }: Attributes) =>
    result(cast(step(floating(h(x)), alpha), typeOf[x.dtype]), x.dtype, x.shape),
  Prelu: ({ x, alpha }) => {
    const [value, slope] = [h(x), h(alpha)];
    return result(where(ge(value, 0), value, mul(value, slope)), 'float32');
  },
};

// Klambauer et al. 2017, arXiv:1706.02515
const SELU_SCALE = tf.backend_util.SELU_SCALE;
const SELU_ALPHA = tf.backend_util.SELU_SCALEALPHA / SELU_SCALE;
/** above it, log(1 + exp(x)) is x in float32 */
const SOFTPLUS_THRESHOLD = 20;

const floating = (handle: Handle): Handle =>
  addon.scalarType(handle) === scalarType.int32 ? cast(handle, scalarType.float32) : handle;
