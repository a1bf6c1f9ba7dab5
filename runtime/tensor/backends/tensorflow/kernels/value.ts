/** Kernels of values where TensorFlow's differ from tfjs's, or the package's are slow. */
import * as tf from '@tensorflow/tfjs-core';
import type { Attributes } from '../../../gradients/register.ts';
import type { Tensor } from '../../../types.ts';
import { bool, type DataTypeName, floats, type } from '../attributes.ts';
import type { Products } from '../precision.ts';
import type { Run } from '../run.ts';
import type { Inputs, Kernel, Override } from './register.ts';

/** Integers go through floats and come back. */
const throughFloats =
  (kernel: (x: Tensor, attributes: Attributes) => Tensor): Kernel =>
  ({ x }, attributes) => {
    const y = kernel(tf.cast(x, 'float32'), attributes);
    return x.dtype === 'float32' ? y : tf.cast(y, x.dtype);
  };

export const valueKernels = ({ one }: Run): Record<string, Kernel> => ({
  // 1 above 0, alpha elsewhere; NaN stays
  Step: throughFloats((x, { alpha = 0 }) => {
    const above = one('Relu', [floats], one('Sign', [floats], x));
    return alpha === 0 ? above : tf.add(tf.mul(above, 1 - alpha), alpha);
  }),
  // of NaN 0
  Sign: throughFloats((x) => tf.where(tf.isNaN(x), tf.zerosLike(x), one('Sign', [floats], x))),
  Prelu: ({ x, alpha }) => tf.add(tf.relu(x), tf.mul(alpha, tf.minimum(x, 0))),
  BitwiseAnd: ({ a, b }) => one('BitwiseAnd', [type('T', 'int32')], a, b),
  ScatterNd({ indices, updates }, { shape }) {
    // to tfjs a list of indices is one of single ones
    const places = indices.shape.length > 1 ? indices : tf.reshape(indices, [-1, 1]);
    const rows = tf.reshape(updates, [...places.shape.slice(0, -1), ...shape.slice(places.shape.at(-1)!)]);
    const attributes = [type('T', updates.dtype as DataTypeName), type('Tindices', 'int32')];
    return one('ScatterNd', attributes, places, rows, tf.tensor1d(shape, 'int32'));
  },
});

const asFloats =
  (stock: Kernel): Kernel =>
  ({ x }, attributes) =>
    stock({ x: tf.cast(x, 'float32') }, attributes);

export const valueOverrides = (products: Products): Record<string, Override> => ({
  BatchMatMul: (stock) => (inputs, attributes) => {
    const { a, b } = inputs;
    if (a.dtype !== 'float32' || b.dtype !== 'float32') return stock(inputs, attributes);
    const { transposeA, transposeB } = attributes;
    return a.shape.length === 2 && b.shape.length === 2
      ? products.run('MatMul', [bool('transpose_a', transposeA), bool('transpose_b', transposeB)], [a, b], [])
      : products.run('BatchMatMulV2', [bool('adj_x', transposeA), bool('adj_y', transposeB)], [a, b], []);
  },
  LeakyRelu: asFloats,
  // TensorFlow's on integers goes through floats, which hold 24 bits
  Round: (stock) => (inputs, attributes) =>
    inputs.x.dtype === 'int32' ? tf.clone(inputs.x) : stock(inputs, attributes),
  Diag: (stock) => (inputs, attributes) => {
    if (inputs.x.dtype !== 'bool') return stock(inputs, attributes);
    return tf.cast(stock({ x: tf.cast(inputs.x, 'int32') }, attributes) as Tensor, 'bool');
  },
  StridedSlice: (stock) => (inputs, attributes) =>
    stock(inputs, { ...attributes, strides: attributes.strides ?? attributes.begin.map(() => 1) }),
  Einsum: (stock) => (inputs, attributes) => {
    const tensors = Object.values(inputs as Inputs);
    const { allDims, summedDims, idDims } = tf.backend_util.decodeEinsumEquation(attributes.equation, tensors.length);
    tf.backend_util.checkEinsumDimSizes(allDims.length, idDims, tensors);
    tf.backend_util.getEinsumComputePath(summedDims, idDims);
    return stock(inputs, attributes);
  },
});
