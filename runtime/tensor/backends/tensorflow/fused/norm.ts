/** Batch normalisation, ReLU and their gradients, each one pass of TensorFlow. */
import * as tf from '@tensorflow/tfjs-core';
import { countBatch } from '../../../composed/norm.ts';
import type { FusedKernels } from '../../../kernels.ts';
import type { Tensor } from '../../../types.ts';
import { bool, float, floats, text, type } from '../attributes.ts';
import type { Attribute } from '../binding.ts';
import type { Run } from '../run.ts';

type Norm = Pick<FusedKernels, 'batchNormTrain' | 'batchNormEval' | 'batchNormGrad' | 'addRelu' | 'reluGrad'>;

const attributes = (training: boolean, eps: number): Attribute[] => [
  floats,
  type('U', 'float32'),
  text('data_format', 'NHWC'),
  bool('is_training', training),
  float('epsilon', eps),
];

/** TensorFlow normalises images: rows become images of one place. */
const images = (x: Tensor): Tensor => (x.shape.length === 4 ? x : tf.reshape(x, [-1, 1, 1, x.shape.at(-1)!]));

/** @param inverse whether this device keeps 1 / standard deviation for the gradient, where the other keeps the variance */
export function normKernels({ one, many }: Run, inverse: boolean): Norm {
  const relu = (x: Tensor): Tensor => one('Relu', [floats], x);
  const back = (y: Tensor, shape: number[]): Tensor => (shape.length === 4 ? y : tf.reshape(y, shape));
  return {
    batchNormTrain(x, scale, offset, state, { eps, momentum, relu: positive }) {
      const { runningMean, runningVar } = state;
      const channels = [x.shape.at(-1)!];
      const given = [scale ?? tf.ones(channels), offset ?? tf.zeros(channels), runningMean, runningVar];
      const settings = [...attributes(true, eps), float('exponential_avg_factor', momentum)];
      const [y, mean, variance, batchMean, spread] = many('FusedBatchNormV3', settings, [images(x), ...given], 6);
      runningMean.assign(mean);
      runningVar.assign(variance);
      countBatch(state);
      const invStd = inverse ? spread : tf.rsqrt(tf.add(spread, eps));
      return { y: back(positive ? relu(y) : y, x.shape), mean: batchMean, invStd };
    },

    batchNormEval(x, scale, offset, mean, variance, { eps, relu: positive }) {
      const channels = [x.shape.at(-1)!];
      const given = [scale ?? tf.ones(channels), offset ?? tf.zeros(channels), mean, variance];
      const [y] = many('FusedBatchNormV3', attributes(false, eps), [images(x), ...given], 6);
      return back(positive ? relu(y) : y, x.shape);
    },

    batchNormGrad(dy, x, y, scale, _offset, mean, invStd) {
      const gradient = y ? one('ReluGrad', [floats], dy, y) : dy;
      const spread = inverse ? invStd : tf.reciprocal(tf.square(invStd)); // eps is in it already
      const inputs = [images(gradient), images(x), scale ?? tf.ones(mean.shape), mean, spread, tf.zeros([0])];
      const [dx, dScale, dOffset] = many('FusedBatchNormGradV3', attributes(true, 0), inputs, 5);
      return { dx: back(dx, x.shape), dScale, dOffset };
    },

    addRelu: (a, b) => relu(one('AddV2', [floats], a, b)),
    reluGrad: (dy, y) => one('ReluGrad', [floats], dy, y),
  };
}
