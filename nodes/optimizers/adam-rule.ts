import { T } from '../../runtime/node.ts';
import type { TensorApi, Variable } from '../../runtime/tensor/types.ts';
import type { UpdateRule } from './per-parameter.ts';
import { ratesParams } from './rates.ts';

const share = T.Number({ minimum: 0, exclusiveMaximum: 1 });

export const adamParams = (defaults: { readonly weight_decay: number }) => ({
  ...ratesParams(defaults),
  betas: T.Tuple([share, share], {
    default: [0.9, 0.999],
    description: 'shares of the old means of gradients and of their squares kept',
  }),
  eps: T.Number({ default: 1e-8, minimum: 0, description: 'added to the denominator' }),
  amsgrad: T.Boolean({ default: false, description: 'divide by the largest mean square so far' }),
});

export interface AdamParams {
  readonly betas: readonly [number, number];
  readonly eps: number;
  readonly amsgrad: boolean;
}

interface Moments {
  readonly mean: Variable;
  readonly square: Variable;
  readonly largest?: Variable;
}

/** @param decoupled weight decay on the parameter itself (AdamW), not in the gradient */
export function adamRule(tf: TensorApi, { betas, eps, amsgrad }: AdamParams, decoupled: boolean): UpdateRule<Moments> {
  const [first, second] = betas;
  return {
    state: (zeros) => ({
      mean: zeros('exp_avg'),
      square: zeros('exp_avg_sq'),
      ...(amsgrad ? { largest: zeros('max_exp_avg_sq') } : {}),
    }),
    update(p, gradient, { mean, square, largest }, { lr, weightDecay, step }, set) {
      const g = decoupled || weightDecay === 0 ? gradient : tf.add(gradient, tf.mul(p, weightDecay));
      const from = decoupled ? tf.mul(p, 1 - lr * weightDecay) : p;
      const m = tf.add(tf.mul(mean, first), tf.mul(g, 1 - first));
      const v = tf.add(tf.mul(square, second), tf.mul(tf.square(g), 1 - second));
      const top = largest ? tf.maximum(largest, v) : v;
      set(mean, m);
      set(square, v);
      if (largest) set(largest, top);
      const size = tf.add(tf.div(tf.sqrt(top), Math.sqrt(1 - second ** step)), eps);
      return tf.sub(from, tf.mul(tf.div(m, size), lr / (1 - first ** step)));
    },
  };
}
