import { batch, defineNode, T } from '../../runtime/node.ts';
import { perParameter } from './per-parameter.ts';
import { ratesParams } from './rates.ts';

/**
 * RMSprop: gradients divided by the root of a moving mean of their squares (Hinton 2012, lecture 6), as PyTorch has it.
 * `eps_inside_sqrt` is TensorFlow's form: the mean begins at 1, and eps is under the root.
 */
export default defineNode({
  type: 'optimizer/rmsprop',
  description: 'RMSprop, plain or centred, with momentum.',
  aliases: ['rmsprop'],
  presets: { rmsprop_tf: { eps_inside_sqrt: true } },
  role: 'optimizer',
  params: T.Object({
    ...ratesParams({ weight_decay: 0 }),
    alpha: T.Number({ default: 0.99, minimum: 0, exclusiveMaximum: 1, description: 'share of the old mean kept' }),
    eps: T.Number({ default: 1e-8, minimum: 0, description: 'added to the denominator' }),
    momentum: T.Number({ default: 0, minimum: 0, exclusiveMaximum: 1, description: 'share of the old velocity kept' }),
    centered: T.Boolean({ default: false, description: 'divide by the deviation from the mean gradient' }),
    eps_inside_sqrt: T.Boolean({ default: false, description: "TensorFlow's form (rmsprop_tf)" }),
  }),
  inputs: { loss: batch.scalar('float32') },
  show: ['lr', 'alpha', 'momentum'],
  create: (context) => {
    const { tf, params } = context;
    const { alpha, eps, momentum, centered, eps_inside_sqrt: inside } = params;
    return perParameter(context, {
      state: (zeros) => ({
        square: zeros('square_avg'),
        mean: centered ? zeros('grad_avg') : undefined,
        velocity: momentum > 0 ? zeros('velocity') : undefined,
      }),
      update(p, gradient, { square, mean, velocity }, { lr, weightDecay, step }, set) {
        const g = weightDecay === 0 ? gradient : tf.add(gradient, tf.mul(p, weightDecay));
        const before = inside && step === 1 ? tf.onesLike(square) : square;
        const s = tf.add(tf.mul(before, alpha), tf.mul(tf.square(g), 1 - alpha));
        set(square, s);
        let spread = s;
        if (mean) {
          const m = tf.add(tf.mul(mean, alpha), tf.mul(g, 1 - alpha));
          set(mean, m);
          spread = tf.sub(s, tf.square(m));
        }
        const size = inside ? tf.sqrt(tf.add(spread, eps)) : tf.add(tf.sqrt(spread), eps);
        let direction = tf.div(g, size);
        if (velocity) {
          direction = tf.add(tf.mul(velocity, momentum), direction);
          set(velocity, direction);
        }
        return tf.sub(p, tf.mul(direction, lr));
      },
    });
  },
});
