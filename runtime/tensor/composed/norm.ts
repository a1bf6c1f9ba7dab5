/** Batch normalisation and ReLU from tfjs operations. Ioffe and Szegedy 2015, arXiv:1502.03167. */
import * as tf from '@tensorflow/tfjs-core';
import type { FusedKernels } from '../kernels.ts';
import type { BatchNormState, Tensor } from '../types.ts';

type Norm = Pick<FusedKernels, 'batchNormTrain' | 'batchNormEval' | 'batchNormGrad' | 'addRelu' | 'reluGrad'>;

const { add, mul, neg, reshape, rsqrt, square, sub } = tf;

export const composedNorm: Norm = {
  batchNormTrain(x, scale, offset, state, { eps, momentum, relu }) {
    const rows = reshape(x, [-1, x.shape.at(-1)!]);
    const mean = tf.mean(rows, 0);
    const variance = tf.mean(square(sub(rows, mean)), 0);
    updateRunning(state, mean, variance, rows.shape[0], momentum);
    countBatch(state);
    const invStd = rsqrt(add(variance, eps));
    return { y: apply(x, scale, offset, mean, invStd, relu), mean, invStd };
  },

  batchNormEval(x, scale, offset, mean, variance, { eps, relu }) {
    return apply(x, scale, offset, mean, rsqrt(add(variance, eps)), relu);
  },

  batchNormGrad(dy, x, y, scale, _offset, mean, invStd) {
    const channels = x.shape.at(-1)!;
    const passed = y ? mul(dy, tf.step(y)) : dy;
    const rows = reshape(passed, [-1, channels]);
    const inputs = reshape(x, [-1, channels]);
    const count = rows.shape[0];
    const dOffset = tf.sum(rows, 0);
    const dScale = mul(tf.sum(mul(rows, sub(inputs, mean)), 0), invStd);
    // dx = a·(dy - Σdy/n - x̂·Σ(dy·x̂)/n) = a·dy + b·x + c
    const a = scale ? mul(scale, invStd) : invStd;
    const b = mul(mul(a, invStd), mul(dScale, -1 / count));
    const c = neg(add(mul(a, mul(dOffset, 1 / count)), mul(b, mean)));
    return { dx: reshape(add(add(mul(rows, a), mul(inputs, b)), c), x.shape), dScale, dOffset };
  },

  addRelu: (a, b) => tf.relu(add(a, b)),
  reluGrad: (dy, y) => mul(dy, tf.step(y)),
};

function apply(
  x: Tensor,
  scale: Tensor | null,
  offset: Tensor | null,
  mean: Tensor,
  invStd: Tensor,
  relu: boolean,
): Tensor {
  const a = scale ? mul(scale, invStd) : invStd;
  const shift = neg(mul(mean, a));
  const y = add(mul(x, a), offset ? add(offset, shift) : shift);
  return relu ? tf.relu(y) : y;
}

export function countBatch({ batches }: BatchNormState): void {
  batches?.assign(add(batches, tf.scalar(1, 'int32')));
}

/** running = (1 - momentum)·running + momentum·batch, with the unbiased variance n / (n - 1). */
export function updateRunning(
  state: BatchNormState,
  mean: Tensor,
  variance: Tensor,
  n: number,
  momentum: number,
): void {
  const { runningMean, runningVar } = state;
  runningMean.assign(add(mul(runningMean, 1 - momentum), mul(mean, momentum)));
  runningVar.assign(add(mul(runningVar, 1 - momentum), mul(variance, (momentum * n) / (n - 1))));
}
