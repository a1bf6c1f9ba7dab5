/**
 * Batch norm over the batches of several ranks, around a backend's own kernels. Forward: each rank's mean and variance
 * are put together (Chan et al. 1979). Backward: the kernel gives the gradient as if the rank's batch were alone, and
 * what the sums of the others change is added. Both are exact. Statistics are exchanged while the thread waits.
 */
import * as tf from '@tensorflow/tfjs-core';
import { countBatch, updateRunning } from '../composed/norm.ts';
import type { BatchNormGradients, BatchNormTraining, FusedKernels } from '../kernels.ts';
import type { BatchNormGroup, BatchNormState, Tensor } from '../types.ts';

/** What the backward pass needs besides what one rank's does. */
export interface GroupTraining extends BatchNormTraining {
  /** values per channel on all ranks of the group */
  readonly count: number;
}

export function trainInGroup(
  kernels: FusedKernels,
  x: Tensor,
  scale: Tensor | null,
  offset: Tensor | null,
  state: BatchNormState,
  options: { readonly eps: number; readonly momentum: number; readonly relu: boolean },
  group: BatchNormGroup,
): GroupTraining {
  const channels = x.shape.at(-1)!;
  const own = x.size / channels;
  const rows = tf.reshape(x, [own, channels]);
  const ownMean = tf.mean(rows, 0);
  const ownVariance = tf.mean(tf.square(tf.sub(rows, ownMean)), 0);
  const values = new Float32Array(2 * channels + 1);
  values.set(ownMean.dataSync(), 0);
  values.set(ownVariance.dataSync(), channels);
  values[2 * channels] = own;
  const all = group.gather(values);
  const { count, mean: means, variance: variances } = pooled(all, channels);
  if (count <= 1)
    throw new Error(`batchNorm in training needs more than one value per channel; the input is [${x.shape}]`);
  const mean = tf.tensor1d(means);
  const variance = tf.tensor1d(variances);
  updateRunning(state, mean, variance, count, options.momentum);
  countBatch(state);
  const y = kernels.batchNormEval(x, scale, offset, mean, variance, options);
  return { y, mean, invStd: tf.rsqrt(tf.add(variance, options.eps)), count };
}

/** Mean and biased variance of all values from those of parts: per part means, variances, number. */
export function pooled(
  parts: Float32Array,
  channels: number,
): { count: number; mean: Float32Array; variance: Float32Array } {
  const width = 2 * channels + 1;
  const [mean, variance] = [new Float32Array(channels), new Float32Array(channels)];
  let count = 0;
  for (let part = 0; part < parts.length; part += width) count += parts[part + 2 * channels];
  for (let c = 0; c < channels; c++) {
    let sum = 0;
    for (let part = 0; part < parts.length; part += width) sum += parts[part + c] * parts[part + 2 * channels];
    const middle = sum / count;
    let squares = 0;
    for (let part = 0; part < parts.length; part += width) {
      const away = parts[part + c] - middle;
      squares += (parts[part + channels + c] + away * away) * parts[part + 2 * channels];
    }
    mean[c] = middle;
    variance[c] = squares / count;
  }
  return { count, mean, variance };
}

/** dScale and dOffset are this rank's, as without a group: gradients of parameters are averaged over ranks later. */
export function gradInGroup(
  kernels: FusedKernels,
  dy: Tensor,
  x: Tensor,
  y: Tensor | null,
  scale: Tensor | null,
  offset: Tensor | null,
  { mean, invStd, count }: Omit<GroupTraining, 'y'>,
  group: BatchNormGroup,
): BatchNormGradients {
  const channels = x.shape.at(-1)!;
  const own = x.size / channels;
  const alone = kernels.batchNormGrad(dy, x, y, scale, offset, mean, invStd);
  const values = new Float32Array(2 * channels);
  values.set(alone.dOffset.dataSync(), 0);
  values.set(alone.dScale.dataSync(), channels);
  const all = group.gather(values);
  // dx = a·(dy − Σdy/n − x̂·Σ(dy·x̂)/n): the kernel took this rank's sums and number for those of all
  const [level, slope] = [new Float32Array(channels), new Float32Array(channels)];
  for (let c = 0; c < channels; c++) {
    let [offsets, scales] = [0, 0];
    for (let part = 0; part < all.length; part += 2 * channels) {
      offsets += all[part + c];
      scales += all[part + channels + c];
    }
    level[c] = values[c] / own - offsets / count;
    slope[c] = values[channels + c] / own - scales / count;
  }
  const a = scale ? tf.mul(scale, invStd) : invStd;
  const b = tf.mul(tf.mul(a, invStd), tf.tensor1d(slope));
  const c = tf.sub(tf.mul(a, tf.tensor1d(level)), tf.mul(b, mean));
  return { ...alone, dx: tf.add(alone.dx, tf.add(tf.mul(x, b), c)) };
}
