import { batch, defineNode, T } from '../../runtime/node.ts';
import {
  checkClassWeights,
  chosenClasses,
  classWeightParam,
  outputsPort,
  overOutputs,
  reductionParam,
} from './classification.ts';

/**
 * Minus the log-probability of the class of each row, times the weight of the class; the mean is over those weights.
 * PyTorch's NLLLoss: it takes log-probabilities, as a log-softmax gives them; for logits there is
 * loss/cross_entropy_multiple_output_single_target. As there, a batch without a row that counts gives NaN and no gradient.
 */
export default defineNode({
  type: 'loss/nll',
  description: 'Negative log-likelihood of the class, from log-probabilities (NLLLoss of PyTorch).',
  aliases: ['NLLLoss'],
  role: 'loss',
  params: T.Object({
    weight: classWeightParam,
    ignore_index: T.Integer({ default: -100, description: 'label of rows that do not count, besides -1' }),
    reduction: reductionParam,
  }),
  inputs: {
    outputs: outputsPort('log-probabilities'),
    target: batch.tensor('int32', ['N'], { description: 'class index; -1: no label' }),
  },
  outputs: { loss: batch.scalar('float32') },
  show: ['reduction'],
  infer: checkClassWeights('weight'),
  create: ({ params, tf, ops }) => {
    const { weight, ignore_index: ignoreIndex, reduction } = params;
    return overOutputs(tf, async (output, target) => {
      const { chosen, weights } = await chosenClasses({ tf, ops }, output, target, { weight, ignoreIndex });
      const total = weights.reduce((a, b) => a + b, 0);
      const divisor = reduction === 'mean' && total !== 0 ? total : 1;
      const shares = ops.noGrad(() =>
        tf.tensor2d(
          weights.map((each) => -each / divisor),
          [weights.length, 1],
        ),
      );
      // classes of probability 0, −∞ here, must not reach the sum through a product with 0
      const loss = tf.sum(tf.mul(tf.where(chosen, output, tf.zerosLike(output)), shares));
      return reduction === 'mean' && total === 0 ? tf.add(loss, Number.NaN) : loss;
    });
  },
});
