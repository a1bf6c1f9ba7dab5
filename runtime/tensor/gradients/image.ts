import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '../types.ts';
import type { Attributes, Gradient } from './register.ts';

const run = (kernel: string, inputs: Record<string, Tensor>, attributes: Attributes): Tensor =>
  tf.engine().runKernel(kernel, inputs, attributes);

const resize = (kernel: string): Gradient => ({
  inputs: ['images'],
  grad: (dy, [images], attributes) => ({ images: () => run(kernel, { dy, images }, attributes) }),
});

/** tfjs's mean is over the values inside the input, but its gradient kernel divides by the whole window. */
function byWholeWindows(dy: Tensor, x: Tensor, { filterSize, strides, pad, dimRoundingMode }: Attributes): Tensor {
  const info = tf.backend_util.computePool2DInfo(x.shape as any, filterSize, strides, 1, pad, dimRoundingMode);
  const shares = (count: number, stride: number, kernel: number, before: number, length: number) =>
    Array.from({ length: count }, (_, i) => {
      const start = i * stride - before;
      return kernel / (Math.min(start + kernel, length) - Math.max(start, 0));
    });
  const { padInfo } = info;
  const rows = shares(info.outHeight, info.strideHeight, info.filterHeight, padInfo.top, info.inHeight);
  const columns = shares(info.outWidth, info.strideWidth, info.filterWidth, padInfo.left, info.inWidth);
  if ([...rows, ...columns].every((share) => share === 1)) return dy;
  return tf.mul(tf.mul(dy, tf.tensor(rows, [rows.length, 1, 1])), tf.tensor(columns, [columns.length, 1]));
}

export const imageGradients: Record<string, Gradient> = {
  Conv2D: {
    inputs: ['x', 'filter'],
    grad: (dy, [x, filter], attributes) => ({
      x: () => run('Conv2DBackpropInput', { dy, filter }, { ...attributes, inputShape: x.shape }),
      filter: () => run('Conv2DBackpropFilter', { x, dy }, { ...attributes, filterShape: filter.shape }),
    }),
  },
  Conv2DBackpropInput: {
    inputs: ['dy', 'filter'],
    grad: (ddx, [dy, filter], attributes) => ({
      dy: () =>
        tf.conv2d(
          ddx,
          filter as tf.Tensor4D,
          attributes.strides,
          attributes.pad,
          attributes.dataFormat,
          attributes.dilations ?? 1,
          attributes.dimRoundingMode,
        ),
      filter: () => run('Conv2DBackpropFilter', { x: ddx, dy }, { ...attributes, filterShape: filter.shape }),
    }),
  },
  DepthwiseConv2dNative: {
    inputs: ['x', 'filter'],
    grad: (dy, [x, filter], attributes) => ({
      x: () => run('DepthwiseConv2dNativeBackpropInput', { dy, filter }, { ...attributes, inputShape: x.shape }),
      filter: () => run('DepthwiseConv2dNativeBackpropFilter', { x, dy }, { ...attributes, filterShape: filter.shape }),
    }),
  },
  MaxPool: {
    inputs: ['x'],
    output: true,
    grad: (dy, [x, y], attributes) => ({ x: () => run('MaxPoolGrad', { dy, input: x, output: y }, attributes) }),
  },
  AvgPool: {
    inputs: ['x'],
    grad: (dy, [x], attributes) => ({
      x: () => run('AvgPoolGrad', { dy: byWholeWindows(dy, x, attributes), input: x }, attributes),
    }),
  },
  LRN: {
    inputs: ['x'],
    output: true,
    grad: (dy, [x, y], attributes) => ({ x: () => run('LRNGrad', { x, y, dy }, attributes) }),
  },
  DepthToSpace: {
    inputs: ['x'],
    grad: (dy, [x], { blockSize }) => ({
      x: () => {
        const [n, h, w, c] = x.shape as [number, number, number, number];
        const blocks = tf.reshape(dy, [n, h, blockSize, w, blockSize, c / blockSize ** 2]);
        return tf.reshape(tf.transpose(blocks, [0, 1, 3, 2, 4, 5]), x.shape);
      },
    }),
  },
  ResizeBilinear: resize('ResizeBilinearGrad'),
  ResizeNearestNeighbor: resize('ResizeNearestNeighborGrad'),
};
