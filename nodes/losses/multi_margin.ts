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
 * Multi-class hinge loss: per row w_y · Σ_{j ≠ y} max(0, margin − x_y + x_j)^p / C for its class y. PyTorch's
 * MultiMarginLoss; after Crammer and Singer 2001, JMLR 2:265. The mean is over rows, whatever their weights.
 */
export default defineNode({
  type: 'loss/multi_margin',
  description: 'Multi-class hinge loss of scores against a class (MultiMarginLoss of PyTorch).',
  aliases: ['MultiMarginLoss'],
  role: 'loss',
  params: T.Object({
    p: T.Union([T.Literal(1), T.Literal(2)], { default: 1, description: 'power of the hinge' }),
    margin: T.Number({ default: 1, description: 'by how much the score of the class is to lead' }),
    weight: classWeightParam,
    reduction: reductionParam,
  }),
  inputs: {
    outputs: outputsPort('scores'),
    target: batch.tensor('int32', ['N'], { description: 'class index; -1: no label' }),
  },
  outputs: { loss: batch.scalar('float32') },
  kernels: ['Relu'],
  show: ['p', 'margin'],
  infer: checkClassWeights('weight'),
  create: ({ params, tf, ops }) => {
    const { p, margin, weight, reduction } = params;
    return overOutputs(tf, async (output, target) => {
      const { chosen, weights, rows } = await chosenClasses({ tf, ops }, output, target, { weight });
      const divisor = output.shape[1]! * (reduction === 'mean' ? Math.max(rows, 1) : 1);
      const shares = ops.noGrad(() => {
        const others = tf.sub(1, tf.cast(chosen, 'float32'));
        return tf.mul(
          others,
          tf.tensor2d(
            weights.map((each) => each / divisor),
            [weights.length, 1],
          ),
        );
      });
      const own = tf.sum(tf.where(chosen, output, tf.zerosLike(output)), 1, true);
      const hinge = tf.relu(tf.add(tf.sub(output, own), margin));
      return tf.sum(tf.mul(p === 1 ? hinge : tf.square(hinge), shares));
    });
  },
});
