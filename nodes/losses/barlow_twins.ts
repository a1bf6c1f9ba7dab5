import { batch, defineNode, T } from '../../runtime/node.ts';
import type { Tensor } from '../../runtime/tensor/types.ts';
import { gather, withGradientOf } from './gathered.ts';
import { twoViews } from './two-views.ts';

/**
 * Barlow Twins: the cross-correlation C of two views' embeddings is to be the identity. Zbontar et al. 2021,
 * arXiv:2103.03230. scale·(Σ (1 − C_ii)² + λ Σ_{i≠j} C_ij²), over the batch of all ranks.
 * `standardize: "together"` is VISSL: mean and (biased) variance of both views and all ranks together, eps 1e-5.
 * `"each_view"` is the paper and lightly: those of each view on its rank; correlations are averaged over the ranks, and a
 * rank's gradient is that of the sum of all ranks' losses.
 */
export default defineNode({
  type: 'loss/barlow_twins',
  description: 'Barlow Twins: decorrelate the dimensions of two views (arXiv:2103.03230).',
  aliases: ['barlow_twins_loss'],
  presets: { BarlowTwinsLoss: { standardize: 'each_view', lambda: 0.005, scale_loss: 1 } },
  role: 'loss',
  params: T.Object({
    lambda: T.Number({ default: 0.0051, minimum: 0, description: 'weight of the off-diagonal terms' }),
    scale_loss: T.Number({ default: 0.024, exclusiveMinimum: 0, description: 'factor on the loss' }),
    standardize: T.Union([T.Literal('together'), T.Literal('each_view')], {
      default: 'together',
      description: 'statistics of both views together, or of each view',
    }),
  }),
  inputs: {
    embeddings: batch.tensor('float32', ['V*N', 'D'], { description: 'all first views, then all second ones' }),
  },
  outputs: { loss: batch.scalar('float32') },
  show: ['lambda', 'scale_loss'],
  create: ({ params, tf, ops, ranks, name }) => {
    const standardized = (x: Tensor): Tensor => {
      const mean = tf.mean(x, 0);
      const variance = tf.sub(tf.mean(tf.square(x), 0), tf.square(mean));
      return tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-5)));
    };
    const correlate = (a: Tensor, b: Tensor): Tensor => tf.div(tf.matMul(a as never, b as never, true), a.shape[0]);

    const together = async (embeddings: Tensor): Promise<Tensor> => {
      const [first, second] = twoViews(tf, embeddings, name);
      const a = await gather({ tf, ops, ranks }, first);
      const b = await gather({ tf, ops, ranks }, second);
      const [x, y] = twoViews(tf, standardized(tf.concat([a.all, b.all], 0)), name);
      return correlate(x, y);
    };
    const eachView = async (embeddings: Tensor): Promise<Tensor> => {
      const [first, second] = twoViews(tf, embeddings, name);
      const own = correlate(standardized(first), standardized(second));
      if (ranks.size === 1) return own;
      const mean = await ranks.allReduce(
        ops.noGrad(() => tf.clone(own)),
        'mean',
      );
      return withGradientOf({ tf, ops }, own, mean);
    };
    return async ({ embeddings }) => {
      const correlation = await (params.standardize === 'together' ? together : eachView)(embeddings);
      const identity = tf.eye(embeddings.shape[1]);
      const weights = tf.add(tf.mul(identity, 1 - params.lambda), params.lambda);
      return { loss: tf.mul(tf.sum(tf.mul(tf.square(tf.sub(correlation, identity)), weights)), params.scale_loss) };
    };
  },
});
