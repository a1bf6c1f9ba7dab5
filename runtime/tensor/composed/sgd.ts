/** SGD with LARC from tfjs operations. You, Gitman and Ginsburg 2017, arXiv:1708.03888. */
import * as tf from '@tensorflow/tfjs-core';
import type { FusedKernels } from '../kernels.ts';
import { scope } from '../scope.ts';
import type { SgdOptions, Tensor, Variable } from '../types.ts';

const { add, mul, sub } = tf;

export const composedSgd: Pick<FusedKernels, 'sgd'> = {
  sgd(parameters, gradients, velocities, started, options) {
    parameters.forEach((p, i) => {
      scope(() => step(p, gradients[i], velocities[i], started, options));
    });
  },
};

function step(p: Variable, gradient: Tensor, velocity: Variable, started: boolean, options: SgdOptions): void {
  const { lr, momentum, nesterov } = options;
  const g = decayed(p, gradient, options);
  if (momentum === 0) {
    p.assign(sub(p, mul(g, lr)));
    return;
  }
  velocity.assign(started ? add(mul(velocity, momentum), g) : tf.clone(g));
  const direction = nesterov ? add(g, mul(velocity, momentum)) : velocity;
  p.assign(sub(p, mul(direction, lr)));
}

/** The gradient with weight decay and, with LARC, the layer's own rate. */
export function decayed(p: Tensor, g: Tensor, { lr, weightDecay, larc }: SgdOptions): Tensor {
  const sum = weightDecay === 0 ? g : add(g, mul(p, weightDecay));
  if (!larc) return sum;
  const norm = tf.norm(p);
  const gradientNorm = tf.norm(g);
  const rate = tf.div(mul(norm, larc.trustCoefficient), add(add(gradientNorm, mul(norm, weightDecay)), larc.eps));
  const scale = larc.clip ? tf.minimum(mul(rate, 1 / lr), 1) : rate;
  const counts = tf.logicalAnd(tf.greater(norm, 0), tf.greater(gradientNorm, 0));
  // a zero norm leaves the gradient as it is, without weight decay (as Apex does)
  return tf.where(counts, mul(sum, scale), g);
}
