/** Convolution and pooling where tfjs's padding is not one of TensorFlow's, by our own kernels. */
import * as tf from '@tensorflow/tfjs-core';
import { composedPool } from '../../../composed/pool.ts';
import type { PoolGeometry } from '../../../geometry.ts';
import type { Attributes } from '../../../gradients/register.ts';
import type { FusedKernels } from '../../../kernels.ts';
import type { Tensor } from '../../../types.ts';
import { explicit, explicitGeometry, poolGeometryOf } from '../../attributes.ts';
import type { Kernel, Override } from './register.ts';

type Kernels = Pick<FusedKernels, 'conv2dInputGrad' | 'conv2dFilterGrad' | 'maxPool' | 'maxPoolGrad'>;

const named = ({ pad }: Attributes): boolean => pad === 'same' || pad === 'valid' || pad === 0;

/** The padding behind completes the last window, however outputs were rounded. */
function geometry(shape: number[], attributes: Attributes): PoolGeometry {
  const g = poolGeometryOf(shape, attributes);
  const after = (axis: 0 | 1): number =>
    Math.max((g.output[axis + 1] - 1) * g.stride[axis] + g.kernel[axis] - shape[axis + 1] - g.padding[axis], 0);
  return { ...g, paddingAfter: [after(0), after(1)] };
}

/** Rounding up can make the last window begin behind the input, which TensorFlow refuses. */
export const reachesBeyond = (shape: number[], attributes: Attributes): boolean => {
  if (named(attributes)) return false;
  const { paddingAfter, kernel } = geometry(shape, attributes);
  return paddingAfter.some((pad, axis) => pad >= kernel[axis]);
};

/** What tfjs says where windows do not fit, or are single places; else what `pool` gives. */
function pooled(x: Tensor, attributes: Attributes, pool: (g: PoolGeometry) => Tensor): Tensor {
  const g = geometry(x.shape, attributes);
  if (g.output.some((length) => length < 1)) return tf.zeros(g.output.map((length) => Math.max(length, 0)));
  const single = g.kernel[0] === 1 && g.kernel[1] === 1;
  return single && tf.util.arraysEqual(x.shape, [...g.output]) ? tf.clone(x) : pool(g);
}

/** Ours unless the padding has a name. */
const unlessNamed =
  (own: Kernel): Override =>
  (stock) =>
  (inputs, attributes) =>
    named(attributes) ? stock(inputs, attributes) : own(inputs, attributes);

/** Sums over windows with the padding written out, divided by the places that count. */
function mean(x: Tensor, g: PoolGeometry): Tensor {
  const places = composedPool.sumPool(tf.ones([1, g.input[1], g.input[2], 1]), g);
  return tf.div(composedPool.sumPool(tf.cast(x, 'float32'), g), tf.maximum(places, 1)); // a window may lie in padding alone
}

export const windowOverrides = (kernels: Kernels): Record<string, Override> => ({
  Conv2DBackpropInput: unlessNamed(({ dy, filter }, attributes) => {
    const { g, top, left } = explicitGeometry(attributes.inputShape, filter.shape, attributes);
    return tf.slice(kernels.conv2dInputGrad(dy, filter, g), [0, top, left, 0], attributes.inputShape);
  }),
  Conv2DBackpropFilter: unlessNamed(({ x, dy }, attributes) => {
    const { padded, g } = explicit(x, attributes.filterShape, attributes);
    return kernels.conv2dFilterGrad(padded, dy, g);
  }),
  MaxPool: unlessNamed(({ x }, attributes) =>
    pooled(x, attributes, (g) => kernels.maxPool(tf.cast(x, 'float32'), g).y),
  ),
  MaxPoolGrad: unlessNamed(({ dy, input }, attributes) => {
    const g = geometry(input.shape, attributes);
    return kernels.maxPoolGrad(dy, kernels.maxPool(input, g).saved, g);
  }),
  AvgPool: unlessNamed(({ x }, attributes) => pooled(x, attributes, (g) => mean(x, g))),
  // as tfjs defines it: dy spread in equal parts over the whole window, padding included
  AvgPoolGrad: (stock) => (inputs, attributes) => {
    if (attributes.pad === 'valid') return stock(inputs, attributes);
    const g = geometry(inputs.input.shape, attributes);
    return composedPool.sumPoolGrad(tf.mul(inputs.dy, 1 / (g.kernel[0] * g.kernel[1])), g);
  },
  // TensorFlow divides by the values inside the input
  AvgPool3DGrad: (stock) => (inputs, attributes) =>
    stock({ ...inputs, dy: byInsides(inputs.dy, inputs.input, attributes) }, attributes),
});

/** dy times the part of each window that lies inside the input. */
function byInsides(dy: Tensor, { shape }: Tensor, { filterSize, strides, pad, dimRoundingMode }: Attributes): Tensor {
  const input = shape as [number, number, number, number, number];
  const info = tf.backend_util.computePool3DInfo(input, filterSize, strides, 1, pad, dimRoundingMode);
  const axes = [
    [info.outDepth, info.strideDepth, info.filterDepth, info.padInfo.front],
    [info.outHeight, info.strideHeight, info.filterHeight, info.padInfo.top],
    [info.outWidth, info.strideWidth, info.filterWidth, info.padInfo.left],
  ];
  return axes.reduce((scaled, [count, stride, kernel, before], axis) => {
    const parts = Array.from({ length: count }, (_, i) => {
      const start = i * stride - before;
      return (Math.min(start + kernel, input[axis + 1]) - Math.max(start, 0)) / kernel;
    });
    return tf.mul(scaled, tf.tensor(parts, [count, ...new Array(3 - axis).fill(1)]));
  }, dy);
}
