import * as tf from '@tensorflow/tfjs-core';
import { differentiable } from '../differentiable.ts';
import type { FusedKernels } from '../kernels.ts';
import type { BatchNormState, FusedOps, Tensor } from '../types.ts';
import { gradInGroup, trainInGroup } from './sync-norm.ts';

type NormOps = Pick<FusedOps, 'batchNorm' | 'layerNorm2d' | 'addRelu' | 'l2Normalize'>;

export function normOps(kernels: FusedKernels): NormOps {
  const ops: NormOps = {
    batchNorm(x, scale, offset, state, options) {
      const { training, eps = 1e-5, momentum = 0.1, relu = false, group, addend } = options;
      const channels = x.shape.at(-1)!;
      for (const t of [scale, offset, state.runningMean, state.runningVar]) {
        if (t && t.size !== channels) throw new Error(`batchNorm of [${x.shape}] with parameters [${t.shape}]`);
      }
      const count = x.size / channels;
      const together = training && group !== undefined && group.size > 1 ? group : undefined;
      if (training && !together && !(count > 1)) {
        throw new Error(`batchNorm in training needs more than one value per channel; the input is [${x.shape}]`);
      }
      if (addend) {
        const whole = training && !together && kernels.batchNormAddRelu;
        if (whole) return normAddRelu(whole, x, addend, scale, offset, state, { eps, momentum });
        const y = ops.batchNorm(x, scale, offset, state, { ...options, relu: false, addend: undefined });
        const result = ops.addRelu(y, addend);
        y.dispose();
        return result;
      }
      let groupCount = 0;
      return differentiable(
        { x, scale, offset },
        () => {
          if (!training) {
            const { runningMean: mean, runningVar: variance } = state;
            const y = kernels.batchNormEval(x, scale, offset, mean, variance, { eps, relu });
            return { output: y, save: [x, mean, variance, ...present(scale, relu ? offset : null, relu ? y : null)] };
          }
          const trained = { eps, momentum, relu };
          const result = together
            ? trainInGroup(kernels, x, scale, offset, state, trained, together)
            : { ...kernels.batchNormTrain(x, scale, offset, state, trained), count };
          groupCount = result.count;
          const { y, mean, invStd } = result;
          return { output: y, save: [x, mean, invStd, ...present(scale, relu ? offset : null, relu ? y : null)] };
        },
        (dy, [savedX, mean, second, ...rest]) => {
          const savedScale = scale ? rest[0] : null;
          const savedOffset = relu && offset ? rest.at(-2)! : null;
          const y = relu ? rest.at(-1)! : null;
          const { dx, dScale, dOffset } = together
            ? gradInGroup(
                kernels,
                dy,
                savedX,
                y,
                savedScale,
                savedOffset,
                { mean, invStd: second, count: groupCount },
                together,
              )
            : training
              ? kernels.batchNormGrad(dy, savedX, y, savedScale, savedOffset, mean, second)
              : frozenGrad(y ? kernels.reluGrad(dy, y) : dy, savedX, savedScale, mean, tf.rsqrt(tf.add(second, eps)));
          return { x: () => dx, scale: () => dScale, offset: () => dOffset };
        },
      );
    },

    layerNorm2d(x, scale, offset, eps = 1e-5) {
      // one row per sample: batch norm's formula over [H·W·C], with scale and offset per channel
      const [n, h, w, c] = x.shape;
      const rows = (t: Tensor) => tf.reshape(t, [n, h * w * c]);
      return differentiable(
        { x, scale, offset },
        () => {
          const { mean, variance } = tf.moments(rows(x), 1, true);
          const invStd = tf.rsqrt(tf.add(variance, eps));
          const normal = tf.reshape(tf.mul(tf.sub(rows(x), mean), invStd), x.shape);
          const scaled = scale ? tf.mul(normal, scale) : normal;
          return {
            output: offset ? tf.add(scaled, offset) : tf.clone(scaled),
            save: [normal, invStd, ...(scale ? [scale] : [])],
          };
        },
        (dy, [normal, invStd, savedScale]) => ({
          x: () => {
            const dNormal = rows(savedScale ? tf.mul(dy, savedScale) : dy);
            const flat = rows(normal);
            const projected = tf.mul(flat, tf.mean(tf.mul(dNormal, flat), 1, true));
            const centred = tf.sub(tf.sub(dNormal, tf.mean(dNormal, 1, true)), projected);
            return tf.reshape(tf.mul(centred, invStd), [n, h, w, c]);
          },
          scale: () => tf.sum(tf.mul(dy, normal), [0, 1, 2]),
          offset: () => tf.sum(dy, [0, 1, 2]),
        }),
      );
    },

    addRelu(a, b) {
      sameShape(a, b);
      return differentiable(
        { a, b },
        () => {
          const y = kernels.addRelu(a, b);
          return { output: y, save: [y] };
        },
        (dy, [y]) => {
          const dx = kernels.reluGrad(dy, y);
          return { a: () => dx, b: () => tf.clone(dx) };
        },
      );
    },

    l2Normalize(x, eps = 1e-12) {
      return differentiable(
        { x },
        () => {
          const norm = tf.sqrt(tf.sum(tf.square(x), -1, true));
          const y = tf.div(x, tf.maximum(norm, eps));
          return { output: y, save: [y, norm] };
        },
        (dy, [y, norm]) => ({
          x: () => {
            // below eps the divisor is constant
            const divisor = tf.maximum(norm, eps);
            const free = tf.cast(tf.greater(norm, eps), 'float32');
            const along = tf.mul(tf.sum(tf.mul(dy, y), -1, true), free);
            return tf.div(tf.sub(dy, tf.mul(y, along)), divisor);
          },
        }),
      );
    },
  };
  return ops;
}

const present = (...tensors: (Tensor | null)[]): Tensor[] => tensors.filter((t) => t !== null);

function sameShape(a: Tensor, b: Tensor): void {
  if (!tf.util.arraysEqual(a.shape, b.shape))
    throw new Error(`addRelu of [${a.shape}] and [${b.shape}]: shapes differ`);
}

function normAddRelu(
  kernel: NonNullable<FusedKernels['batchNormAddRelu']>,
  x: Tensor,
  addend: Tensor,
  scale: Tensor | null,
  offset: Tensor | null,
  state: BatchNormState,
  options: { readonly eps: number; readonly momentum: number },
): Tensor {
  sameShape(x, addend);
  return differentiable(
    { x, addend, scale, offset },
    () => {
      const { y, mean, invStd } = kernel.train(x, addend, scale, offset, state, options);
      return { output: y, save: [x, y, mean, invStd, ...present(scale)] };
    },
    (dy, [savedX, y, mean, invStd, savedScale]) => {
      const { dx, dAddend, dScale, dOffset } = kernel.grad(dy, savedX, y, savedScale ?? null, mean, invStd);
      return { x: () => dx, addend: () => dAddend, scale: () => dScale, offset: () => dOffset };
    },
  );
}

/** Batch norm with constant statistics: y is linear in x. */
function frozenGrad(dy: Tensor, x: Tensor, scale: Tensor | null, mean: Tensor, invStd: Tensor) {
  const axes = x.shape.map((_, i) => i).slice(0, -1);
  return {
    dx: tf.mul(dy, scale ? tf.mul(scale, invStd) : invStd),
    dScale: tf.sum(tf.mul(dy, tf.mul(tf.sub(x, mean), invStd)), axes),
    dOffset: tf.sum(dy, axes),
  };
}
