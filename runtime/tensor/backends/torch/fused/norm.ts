/** Batch normalisation, ReLU and their gradients, each one pass of libtorch. */
import type { FusedKernels } from '../../../kernels.ts';
import type { Handle } from '../../../native/addon.ts';
import type { Tensor } from '../../../types.ts';
import { addon, aten, kernelScope } from '../aten.ts';
import { cast, h } from '../data.ts';
import { channelsFirst, channelsLast } from '../layout.ts';
import { tensor, writable } from './tensor.ts';

const normalise = aten('native_batch_norm');
const backward = aten('native_batch_norm_backward');
const add = aten('add.Tensor');
const reluInPlace = aten('relu_');
const threshold = aten('threshold_backward');
const reshape = aten('reshape');

type Norm = Pick<FusedKernels, 'batchNormTrain' | 'batchNormEval' | 'batchNormGrad' | 'addRelu' | 'reluGrad'>;

/** Channels to axis 1: images as they lie in memory, anything else as rows. */
const inward = (handle: Handle, { shape }: Tensor): Handle => {
  if (shape.length === 4) return channelsFirst(handle);
  return shape.length === 2 ? handle : reshape(handle, [-1, shape.at(-1)!]);
};
const outward = (handle: Handle, { shape }: Tensor): Handle => {
  if (shape.length === 4) return channelsLast(handle);
  return shape.length === 2 ? handle : reshape(handle, shape);
};
const optional = (t: Tensor | null): Handle | null => (t ? h(t) : null);

/** dy in the format of what it is the gradient of: libtorch refuses a mixture. */
const like = (dy: Handle, x: Handle): Handle => cast(dy, addon.scalarType(x));

export const normKernels: Norm = {
  batchNormTrain: (x, scale, offset, state, { eps, momentum, relu }) =>
    kernelScope(() => {
      const mean = writable(state.runningMean).handle;
      const variance = writable(state.runningVar).handle;
      const input = inward(h(x), x);
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
      return { y: tensor(outward(y, x), x.shape), mean: tensor(batchMean, channels), invStd: tensor(invStd, channels) };
    }),

  batchNormEval: (x, scale, offset, mean, variance, { eps, relu }) =>
    kernelScope(() => {
      const input = inward(h(x), x);
      const [y] = normalise(input, optional(scale), optional(offset), h(mean), h(variance), false, 0, eps);
      if (relu) reluInPlace(y);
      return tensor(outward(y, x), x.shape);
    }),

  batchNormGrad: (dy, x, y, scale, mean, invStd) =>
    kernelScope(() => {
      const input = h(x);
      let gradient = like(h(dy), input);
      if (y) gradient = threshold(gradient, h(y), 0);
      const parts = backward(
        inward(gradient, x),
        inward(input, x),
        optional(scale),
        null,
        null,
        h(mean),
        h(invStd),
        true,
        0,
        ALL,
      );
      const [dx, dScale, dOffset] = parts as [Handle, Handle, Handle];
      const channels = [x.shape.at(-1)!];
      return {
        dx: tensor(outward(dx, x), x.shape),
        dScale: tensor(dScale, channels),
        dOffset: tensor(dOffset, channels),
      };
    }),

  addRelu: (a, b) =>
    kernelScope(() => {
      const y = add(h(a), h(b));
      reluInPlace(y);
      return tensor(y, a.shape);
    }),

  reluGrad: (dy, y) => kernelScope(() => tensor(threshold(like(h(dy), h(y)), h(y), 0), y.shape)),
};

const ALL = [true, true, true];
