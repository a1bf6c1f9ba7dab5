/**
 * Batch normalisation, ReLU and their gradients. In training on the processor, by the add-on's own operators, which join
 * what libtorch does in several passes over memory; by libtorch's elsewhere.
 */
import type { BatchNormGradients, BatchNormTraining, FusedKernels } from '../../../kernels.ts';
import type { Handle } from '../../../native/addon.ts';
import type { BatchNormState, Tensor } from '../../../types.ts';
import { addon, aten, device, kernelScope, ownOperator, scalarType } from '../aten.ts';
import { cast, h } from '../data.ts';
import { imageOf } from './filters.ts';
import { image, tensor, writable } from './tensor.ts';

const normalise = aten('native_batch_norm');
const backward = aten('native_batch_norm_backward');
const add = aten('add.Tensor');
const addInPlace = aten('add_.Scalar');
const reluInPlace = aten('relu_');
const threshold = aten('threshold_backward');
const reshape = aten('reshape');
const joined = ownOperator('batch_norm');
const joinedBackward = ownOperator('batch_norm_backward');
const joinedSumBackward = ownOperator('batch_norm_add_relu_backward');

type Norm = Pick<
  FusedKernels,
  'batchNormTrain' | 'batchNormEval' | 'batchNormGrad' | 'batchNormAddRelu' | 'addRelu' | 'reluGrad'
>;

type WithSum = NonNullable<FusedKernels['batchNormAddRelu']>;

/** float16 is libtorch's own business. */
const joins = (x: Handle): boolean => {
  if (device !== 'cpu') return false;
  const type = addon.scalarType(x);
  return type === scalarType.float32 || type === scalarType.bfloat16;
};

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

/** What training writes to. */
const running = ({ runningMean, runningVar, batches }: BatchNormState) =>
  [writable(runningMean).handle, writable(runningVar).handle, batches ? writable(batches).handle : null] as const;

const ALL = [true, true, true];

function trained(x: Tensor, [y, mean, invStd]: Handle[]): BatchNormTraining {
  const channels = [x.shape.at(-1)!];
  return { y: outward(y, x.shape), mean: tensor(mean, channels), invStd: tensor(invStd, channels) };
}

function gradients(x: Tensor, [dx, dScale, dOffset]: Handle[]): BatchNormGradients {
  const channels = [x.shape.at(-1)!];
  return { dx: outward(dx, x.shape), dScale: tensor(dScale, channels), dOffset: tensor(dOffset, channels) };
}

const addReluTrained: WithSum['train'] = (x, addend, scale, offset, state, { eps, momentum }) =>
  kernelScope(() => {
    const [mean, variance, batches] = running(state);
    const [input, other, ...affine] = [inward(x), inward(addend), optional(scale), optional(offset)];
    if (joins(input)) return trained(x, joined(input, other, ...affine, mean, variance, batches, momentum, eps, true));
    if (batches !== null) addInPlace(batches, 1);
    const [y, ...statistics] = normalise(input, ...affine, mean, variance, true, momentum, eps);
    const sum = add(y, other);
    reluInPlace(sum);
    return trained(x, [sum, ...statistics]);
  });

const addReluGradients: WithSum['grad'] = (dy, x, y, scale, mean, invStd) =>
  kernelScope(() => {
    const [input, result, factor, ...statistics] = [inward(x), inward(y), optional(scale), h(mean), h(invStd)];
    if (joins(input)) {
      const parts = joinedSumBackward(inward(dy), input, result, factor, ...statistics);
      return { ...gradients(x, parts), dAddend: outward(parts[3], x.shape) };
    }
    const passed = threshold(like(inward(dy), input), like(result, input), 0);
    const parts = backward(passed, input, factor, null, null, ...statistics, true, 0, ALL);
    return { ...gradients(x, parts), dAddend: outward(passed, x.shape) };
  });

export const normKernels: Norm = {
  batchNormTrain: (x, scale, offset, state, { eps, momentum, relu }) =>
    kernelScope(() => {
      const [mean, variance, batches] = running(state);
      const input = inward(x);
      const affine = [optional(scale), optional(offset)];
      if (joins(input)) return trained(x, joined(input, null, ...affine, mean, variance, batches, momentum, eps, relu));
      if (batches !== null) addInPlace(batches, 1);
      const results = normalise(input, ...affine, mean, variance, true, momentum, eps);
      if (relu) reluInPlace(results[0]);
      return trained(x, results);
    }),

  batchNormEval: (x, scale, offset, mean, variance, { eps, relu }) =>
    kernelScope(() => {
      const input = inward(x);
      const [y] = normalise(input, optional(scale), optional(offset), h(mean), h(variance), false, 0, eps);
      if (relu) reluInPlace(y);
      return outward(y, x.shape);
    }),

  batchNormGrad: (dy, x, y, scale, offset, mean, invStd) =>
    kernelScope(() => {
      const input = inward(x);
      const statistics = [h(mean), h(invStd)];
      if (joins(input)) {
        const affine = [optional(scale), optional(offset)];
        return gradients(x, joinedBackward(inward(dy), input, ...affine, ...statistics, y !== null));
      }
      let gradient = like(inward(dy), input);
      if (y) gradient = threshold(gradient, inward(y), 0);
      return gradients(x, backward(gradient, input, optional(scale), null, null, ...statistics, true, 0, ALL));
    }),

  batchNormAddRelu: { train: addReluTrained, grad: addReluGradients },

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
