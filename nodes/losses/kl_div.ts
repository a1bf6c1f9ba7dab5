import { batch, defineNode, T } from '../../runtime/node.ts';
import type { Tensor } from '../../runtime/tensor/types.ts';
import { outputsPort, overOutputs, requireSameShape } from './classification.ts';

/**
 * Kullback-Leibler divergence Σ t·(log t − x) of log-probabilities x from probabilities t. PyTorch's KLDivLoss, with its
 * default: "mean" divides by rows and classes; "batchmean", by rows, is the divergence. A class of probability 0 adds 0.
 */
export default defineNode({
  type: 'loss/kl_div',
  description: 'Kullback-Leibler divergence of log-probabilities from probabilities (KLDivLoss of PyTorch).',
  aliases: ['KLDivLoss'],
  role: 'loss',
  params: T.Object({
    reduction: T.Union([T.Literal('mean'), T.Literal('batchmean'), T.Literal('sum')], {
      default: 'mean',
      description: 'mean: over rows and classes; batchmean: over rows, which is the divergence',
    }),
    log_target: T.Boolean({ default: false, description: 'the target is log-probabilities too' }),
  }),
  inputs: {
    outputs: outputsPort('log-probabilities'),
    target: batch.tensor('float32', ['N', 'C'], { description: 'probability of each class' }),
  },
  outputs: { loss: batch.scalar('float32') },
  show: ['reduction'],
  create: ({ params, tf }) => {
    const entries = (x: Tensor, target: Tensor): Tensor => {
      if (params.log_target) return tf.mul(tf.exp(target), tf.sub(target, x));
      const positive = tf.greater(target, 0);
      const safe = tf.where(positive, target, tf.onesLike(target));
      return tf.where(positive, tf.mul(target, tf.sub(tf.log(safe), x)), tf.zerosLike(x));
    };
    return overOutputs(tf, (output, target) => {
      requireSameShape(output, target);
      const divisor = { mean: output.size, batchmean: output.shape[0]!, sum: 1 }[params.reduction];
      return tf.div(tf.sum(entries(output, target)), divisor);
    });
  },
});
