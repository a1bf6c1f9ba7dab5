import { batch, defineNode, T } from '../../runtime/node.ts';
import { perParameter } from './per-parameter.ts';
import { ratesParams } from './rates.ts';

/**
 * LARS as Barlow Twins and MoCo v3 use it (You et al. 2017, arXiv:1708.03888): g' = g + wd·p, times eta·|p| / |g'| where
 * neither norm is zero; v = momentum·v + g'; p −= lr·v. With `exclude_bias_and_norm` vectors keep their plain g'.
 * lightly's LARS is optimizer/sgd with `larc`.
 */
export default defineNode({
  type: 'optimizer/lars',
  description: 'Layer-wise adaptive rates on SGD with momentum (arXiv:1708.03888).',
  aliases: ['lars'],
  role: 'optimizer',
  params: T.Object({
    ...ratesParams({ weight_decay: 0 }),
    momentum: T.Number({
      default: 0.9,
      minimum: 0,
      exclusiveMaximum: 1,
      description: 'share of the old velocity kept',
    }),
    eta: T.Number({ default: 0.001, exclusiveMinimum: 0, description: 'trust in the layer rate' }),
    exclude_bias_and_norm: T.Boolean({ default: false, description: 'no layer rate for vectors' }),
  }),
  inputs: { loss: batch.scalar('float32') },
  show: ['lr', 'momentum', 'weight_decay', 'eta'],
  create: (context) => {
    const { tf, params } = context;
    return perParameter(context, {
      state: (zeros) => zeros('velocity'),
      update(p, g, velocity, { lr, weightDecay }, set) {
        let direction = weightDecay === 0 ? g : tf.add(g, tf.mul(p, weightDecay));
        if (!(params.exclude_bias_and_norm && p.shape.length <= 1)) {
          const [length, size] = [tf.norm(p), tf.norm(direction)];
          const both = tf.logicalAnd(tf.greater(length, 0), tf.greater(size, 0));
          const rate = tf.where(both, tf.div(tf.mul(length, params.eta), size), tf.onesLike(length));
          direction = tf.mul(direction, rate);
        }
        const next = tf.add(tf.mul(velocity, params.momentum), direction);
        set(velocity, next);
        return tf.sub(p, tf.mul(next, lr));
      },
    });
  },
});
