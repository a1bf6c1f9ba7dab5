/** Batch normalisation, ReLU and their gradients, each one pass of libtorch. */
import type { FusedKernels } from '../../../kernels.ts';
import type { Handle } from '../../../native/addon.ts';
import type { Tensor } from '../../../types.ts';
import { addon, aten, kernelScope } from '../aten.ts';
import { cast, h } from '../data.ts';
import { imageOf } from './filters.ts';
import { image, tensor, writable } from './tensor.ts';

const normalise = aten('native_batch_norm');
const backward = aten('native_batch_norm_backward');
const add = aten('add.Tensor');
const reluInPlace = aten('relu_');
const threshold = aten('threshold_backward');
const reshape = aten('reshape');

type Norm = Pick<FusedKernels, 'batchNormTrain' | 'batchNormEval' | 'batchNormGrad' | 'addRelu' | 'reluGrad'>;

/** Channels to axis 1: images as they lie in memory, anything else as rows. */
const inward = (x: Tensor): Handle => {
  if (x.shape.length === 4) return imageOf(x);
  return x.shape.length === 2 ? h(x) : reshape(h(x), [-1, x.shape.at(-1)!]);
};
const outward = (y: Handle, shape: readonly number[]): Tensor => {
  if (shape.length === 4) return image(y, shape);
  return tensor(shape.length === 2 ? y : reshape(y, shape), shape);
};
const optional = (t: Tensor | null): Handle | null => (t ? h(t) : null);

/** dy in the format of what it is the gradient of: libtorch refuses a mixture. */
const like = (dy: Handle, x: Handle): Handle => cast(dy, addon.scalarType(x));

export const normKernels: Norm = {
  batchNormTrain: (x, scale, offset, state, { eps, momentum, relu }) =>
    kernelScope(() => {
      const mean = writable(state.runningMean).handle;
      const variance = writable(state.runningVar).handle;
      const input = inward(x);
      const [y, batchMean, invStd] = normalise(
        input,
        optional(scale),
        optional(offset),
        mean,
        variance,
        true,
        momentum,
        eps,
      );
      if (relu) reluInPlace(y);
      const channels = [x.shape.at(-1)!];
      return { y: outward(y, x.shape), mean: tensor(batchMean, channels), invStd: tensor(invStd, channels) };
    }),

  batchNormEval: (x, scale, offset, mean, variance, { eps, relu }) =>
    kernelScope(() => {
      const input = inward(x);
      const [y] = normalise(input, optional(scale), optional(offset), h(mean), h(variance), false, 0, eps);
      if (relu) reluInPlace(y);
      return outward(y, x.shape);
    }),

  batchNormGrad: (dy, x, y, scale, mean, invStd) =>
    kernelScope(() => {
      const input = inward(x);
      let gradient = like(inward(dy), input);
      if (y) gradient = threshold(gradient, inward(y), 0);
      const parts = backward(gradient, input, optional(scale), null, null, h(mean), h(invStd), true, 0, ALL);
      const [dx, dScale, dOffset] = parts as [Handle, Handle, Handle];
      const channels = [x.shape.at(-1)!];
      return {
        dx: outward(dx, x.shape),
        dScale: tensor(dScale, channels),
        dOffset: tensor(dOffset, channels),
      };
    }),

  addRelu: (a, b) =>
    kernelScope(() => {
      const y = add(inward(a), inward(b));
      reluInPlace(y);
      return outward(y, a.shape);
    }),

  reluGrad: (dy, y) =>
    kernelScope(() => {
      const result = inward(y);
      return outward(threshold(like(inward(dy), result), result, 0), y.shape);
    }),
};

const ALL = [true, true, true];
