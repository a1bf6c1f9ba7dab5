import { batch, defineNode, T } from '../../runtime/node.ts';
import { perParameter } from './per-parameter.ts';
import { ratesParams } from './rates.ts';

/** Adagrad: gradients divided by the root of the sum of all their squares. Duchi et al. 2011, JMLR 12. */
export default defineNode({
  type: 'optimizer/adagrad',
  description: 'Adagrad (Duchi et al. 2011).',
  aliases: ['adagrad'],
  role: 'optimizer',
  params: T.Object({
    ...ratesParams({ weight_decay: 0 }),
    lr_decay: T.Number({ default: 0, minimum: 0, description: 'the rate is divided by 1 + steps·lr_decay' }),
    initial_accumulator_value: T.Number({ default: 0, minimum: 0, description: 'what the sums begin with' }),
    eps: T.Number({ default: 1e-10, minimum: 0, description: 'added to the denominator' }),
  }),
  inputs: { loss: batch.scalar('float32') },
  show: ['lr'],
  create: (context) => {
    const { tf, params } = context;
    return perParameter(context, {
      state: (zeros) => zeros('sum'),
      update(p, gradient, sum, { lr, weightDecay, step }, set) {
        const g = weightDecay === 0 ? gradient : tf.add(gradient, tf.mul(p, weightDecay));
        const start = step === 1 ? tf.add(sum, params.initial_accumulator_value) : sum;
        const total = tf.add(start, tf.square(g));
        set(sum, total);
        const rate = lr / (1 + (step - 1) * params.lr_decay);
        return tf.sub(p, tf.mul(tf.div(g, tf.add(tf.sqrt(total), params.eps)), rate));
      },
    });
  },
});
