import { batch, defineNode, T } from '../../runtime/node.ts';
import type { Tensor } from '../../runtime/tensor/types.ts';
import { gather, withGradientOf } from './gathered.ts';
import { twoViews } from './two-views.ts';

/**
 * VICReg: views of an image alike, dimensions spread and uncorrelated. Bardes et al. 2022, arXiv:2105.04906.
 * λ·mean (a − b)² + μ·mean over views and dimensions of max(0, 1 − √(var + eps)) + ν·Σ off-diagonal cov² / D over both views;
 * variance and covariance are unbiased, over the batch of this rank or (`gather`) of all.
 */
export default defineNode({
  type: 'loss/vicreg',
  description: 'VICReg: invariance, variance and covariance of two views (arXiv:2105.04906).',
  aliases: ['VICRegLoss'],
  role: 'loss',
  params: T.Object({
    lambda: T.Number({ default: 25, minimum: 0, description: 'weight of the invariance' }),
    mu: T.Number({ default: 25, minimum: 0, description: 'weight of the variance' }),
    nu: T.Number({ default: 1, minimum: 0, description: 'weight of the covariance' }),
    eps: T.Number({ default: 1e-4, minimum: 0, description: 'added to the variance' }),
    gather: T.Boolean({ default: false, description: 'statistics over all ranks (gather_distributed in lightly)' }),
  }),
  inputs: {
    embeddings: batch.tensor('float32', ['V*N', 'D'], { description: 'all first views, then all second ones' }),
  },
  outputs: { loss: batch.scalar('float32') },
  show: ['lambda', 'mu', 'nu'],
  create: ({ params, tf, ops, ranks, name }) => {
    const spread = (x: Tensor): { variance: Tensor; covariance: Tensor } => {
      const [rows, width] = x.shape;
      const centred = tf.sub(x, tf.mean(x, 0));
      const covariance = tf.div(tf.matMul(centred as never, centred as never, true), rows - 1);
      const variance = tf.div(tf.sum(tf.square(centred), 0), rows - 1);
      const deviation = tf.sqrt(tf.add(variance, params.eps));
      const outside = tf.sub(tf.sum(tf.square(covariance)), tf.sum(tf.square(variance)));
      return { variance: tf.mean(tf.relu(tf.sub(1, deviation))), covariance: tf.div(outside, width!) };
    };
    return async ({ embeddings }) => {
      const [first, second] = twoViews(tf, embeddings, name);
      if (first.shape[0] < 2) throw new Error(`${name} needs two images or more`);
      const invariance = tf.mul(tf.mean(tf.square(tf.sub(first, second))), params.lambda);
      const meets = params.gather && ranks.size > 1;
      const views = meets
        ? [(await gather({ tf, ops, ranks }, first)).all, (await gather({ tf, ops, ranks }, second)).all]
        : [first, second];
      const [a, b] = views.map(spread);
      const rest = tf.add(
        tf.mul(tf.add(a.variance, b.variance), params.mu / 2),
        tf.mul(tf.add(a.covariance, b.covariance), params.nu),
      );
      return { loss: tf.add(invariance, meets ? withGradientOf({ tf, ops }, tf.mul(rest, ranks.size), rest) : rest) };
    };
  },
});
