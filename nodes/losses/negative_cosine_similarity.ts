import { batch, defineNode, T } from '../../runtime/node.ts';
import type { Tensor } from '../../runtime/tensor/types.ts';

/**
 * −mean cos(prediction, projection). Chen and He 2021, arXiv:2011.10566. By default no gradient flows to the projections
 * (SimSiam, BYOL), and each view's prediction meets the projection of the other view, which is the symmetric loss.
 */
export default defineNode({
  type: 'loss/negative_cosine_similarity',
  description: 'Negative cosine similarity of predictions and projections (SimSiam, arXiv:2011.10566).',
  aliases: ['NegativeCosineSimilarity', 'SymNegCosineSimilarityLoss'],
  role: 'loss',
  params: T.Object({
    pair: T.Union([T.Literal('other_view'), T.Literal('same_row')], {
      default: 'other_view',
      description: 'what a prediction meets: the projection of the other view of two, or of its own row',
    }),
    stop_gradient: T.Boolean({ default: true, description: 'no gradient to the projections' }),
    dim: T.Union([T.Literal(0), T.Literal(1)], { default: 1, description: 'axis of the vectors' }),
    eps: T.Number({ default: 1e-8, exclusiveMinimum: 0, description: 'least product of two lengths' }),
  }),
  inputs: {
    predictions: batch.tensor('float32', ['V*N', 'D'], { description: 'view-major' }),
    projections: batch.tensor('float32', ['V*N', 'D'], { description: 'view-major' }),
  },
  outputs: { loss: batch.scalar('float32') },
  show: ['pair'],
  create: ({ params, tf, ops, name }) => {
    const otherView = (x: Tensor): Tensor => {
      const [rows, width] = x.shape;
      if (rows % 2 !== 0) throw new Error(`${name} takes two views per image, not ${rows} rows`);
      return tf.concat([tf.slice(x, [rows / 2, 0], [rows / 2, width]), tf.slice(x, [0, 0], [rows / 2, width])], 0);
    };
    return ({ predictions, projections }) => {
      const sure = params.stop_gradient ? ops.noGrad(() => tf.clone(projections)) : projections;
      const target = params.pair === 'other_view' ? otherView(sure) : sure;
      const length = (x: Tensor) => tf.sqrt(tf.sum(tf.square(x), params.dim));
      const lengths = tf.maximum(tf.mul(length(predictions), length(target)), params.eps);
      const cosine = tf.div(tf.sum(tf.mul(predictions, target), params.dim), lengths);
      return { loss: tf.neg(tf.mean(cosine)) };
    };
  },
});
