/** Gradients of pooling over three spatial axes. */
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '../types.ts';
import type { Attributes, Gradient } from './register.ts';

const run = (kernel: string, inputs: Record<string, Tensor>, attributes: Attributes): Tensor =>
  tf.engine().runKernel(kernel, inputs, attributes);

export const volumeGradients: Record<string, Gradient> = {
  MaxPool3D: {
    inputs: ['x'],
    output: true,
    grad: (dy, [x, y], attributes) => ({ x: () => run('MaxPool3DGrad', { dy, input: x, output: y }, attributes) }),
  },
  AvgPool3D: {
    inputs: ['x'],
    grad: (dy, [x], attributes) => ({
      x: () => run('AvgPool3DGrad', { dy: byWholeWindows(dy, x, attributes), input: x }, attributes),
    }),
  },
};

/** As for two axes (image.ts): the mean is over the values inside the input, the kernel divides by the whole window. */
function byWholeWindows(dy: Tensor, x: Tensor, { filterSize, strides, pad, dimRoundingMode }: Attributes): Tensor {
  const info = tf.backend_util.computePool3DInfo(x.shape as any, filterSize, strides, 1, pad, dimRoundingMode);
  const { front, top, left } = info.padInfo;
  const axes = [
    [info.outDepth, info.strideDepth, info.filterDepth, front, info.inDepth],
    [info.outHeight, info.strideHeight, info.filterHeight, top, info.inHeight],
    [info.outWidth, info.strideWidth, info.filterWidth, left, info.inWidth],
  ];
  return axes.reduce((scaled, [count, stride, kernel, before, length], axis) => {
    const shares = Array.from({ length: count }, (_, i) => {
      const start = i * stride - before;
      return kernel / (Math.min(start + kernel, length) - Math.max(start, 0));
    });
    if (shares.every((share) => share === 1)) return scaled;
    return tf.mul(scaled, tf.tensor(shares, [count, ...new Array(3 - axis).fill(1)]));
  }, dy);
}
