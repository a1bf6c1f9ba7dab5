import * as tf from '@tensorflow/tfjs-core';
import { differentiable } from '../differentiable.ts';
import { convGeometry } from '../geometry.ts';
import type { FusedKernels } from '../kernels.ts';
import type { FusedOps, Tensor } from '../types.ts';

export function convOps(kernels: FusedKernels): Pick<FusedOps, 'conv2d' | 'linear'> {
  return {
    conv2d(x, filter, bias, options) {
      const g = convGeometry(x.shape, filter.shape, options);
      return differentiable(
        { x, filter, bias },
        () => ({ output: kernels.conv2d(x, filter, bias, g), save: [x, filter] }),
        (dy, [savedX, savedFilter]) => ({
          x: () => kernels.conv2dInputGrad(dy, savedFilter, g, savedX),
          filter: () => kernels.conv2dFilterGrad(savedX, dy, g, savedFilter),
          bias: () => tf.sum(dy, [0, 1, 2]),
        }),
      );
    },

    linear(x, weight, bias) {
      const product: Tensor = tf.matMul(x as tf.Tensor2D, weight as tf.Tensor2D);
      return bias ? tf.add(product, bias) : product;
    },
  };
}
