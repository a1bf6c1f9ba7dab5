import { batch, defineNode, T } from '../../runtime/node.ts';
import { twoViews } from './two-views.ts';

/**
 * TiCo: views of an image alike, and away from directions that embeddings had before. Zhu et al. 2022, arXiv:2206.10698.
 * 1 − mean a·b + rho·mean aᵀCa with the moving covariance C = beta·C + (1 − beta)·mean a aᵀ over the images of all
 * ranks, through which no gradient flows.
 */
export default defineNode({
  type: 'loss/tico',
  description: 'TiCo: transformation invariance and covariance contrast (arXiv:2206.10698).',
  aliases: ['TiCoLoss'],
  role: 'loss',
  params: T.Object({
    beta: T.Number({ default: 0.9, minimum: 0, maximum: 1, description: 'share of the old covariance kept' }),
    rho: T.Number({ default: 20, minimum: 0, description: 'weight of the covariance term' }),
  }),
  inputs: {
    embeddings: batch.tensor('float32', ['V*N', 'D'], { description: 'all first views, then all second ones' }),
  },
  outputs: { loss: batch.scalar('float32') },
  show: ['beta', 'rho'],
  create: ({ params, symbols, tf, ops, ranks, state, name }) => {
    const width = symbols.D;
    if (width === undefined) throw new Error(`${name} cannot tell the width of its embeddings`);
    const covariance = state.tensor('C', [width, width], 'float32', () => 0);
    return async ({ embeddings }, step) => {
      const [a, b] = twoViews(tf, ops.l2Normalize(embeddings), name);
      const own = ops.noGrad(() => tf.div(tf.matMul(a as never, a as never, true), a.shape[0]));
      const all = await ranks.allReduce(own, 'mean');
      const moved = ops.noGrad(() => tf.add(tf.mul(covariance, params.beta), tf.mul(all, 1 - params.beta)));
      const alike = tf.mean(tf.sum(tf.mul(a, b), 1));
      const spread = tf.mean(tf.sum(tf.mul(tf.matMul(a as never, moved as never), a), 1));
      const loss = tf.add(tf.sub(1, alike), tf.mul(spread, params.rho));
      if (step.training) covariance.assign(moved as never);
      return { loss };
    };
  },
});
