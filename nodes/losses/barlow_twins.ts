import { batch, defineNode, T } from '../../runtime/node.ts';
import type { Tensor } from '../../runtime/tensor/types.ts';
import { type Gathered, gather } from './gathered.ts';

/**
 * Barlow Twins: the cross-correlation of two views' embeddings is to be the identity. Zbontar et al. 2021,
 * arXiv:2103.03230. scale·(Σ (1 − C_ii)² + λ Σ_{i≠j} C_ij²), C over the batch of all ranks.
 * As in the reference code, and unlike the paper, both views are standardised together (biased variance, eps 1e-5).
 */
export default defineNode({
  type: 'loss/barlow_twins',
  description: 'Barlow Twins: decorrelate the dimensions of two views (arXiv:2103.03230).',
  aliases: ['barlow_twins_loss'],
  role: 'loss',
  params: T.Object({
    lambda: T.Number({ default: 0.0051, minimum: 0, description: 'weight of the off-diagonal terms' }),
    scale_loss: T.Number({ default: 0.024, exclusiveMinimum: 0, description: 'factor on the loss' }),
  }),
  inputs: {
    embeddings: batch.tensor('float32', ['V*N', 'D'], { description: 'all first views, then all second ones' }),
  },
  outputs: { loss: batch.scalar('float32') },
  show: ['lambda', 'scale_loss'],
  create:
    ({ params, tf, ops, ranks }) =>
    async ({ embeddings }) => {
      const rows = embeddings.shape[0];
      if (rows % 2 !== 0) throw new Error(`loss/barlow_twins takes two views per image, not ${rows} rows`);
      const { all }: Gathered = await gather({ tf, ops, ranks }, embeddings);
      const mean = tf.mean(all, 0);
      const variance = tf.sub(tf.mean(tf.square(all), 0), tf.square(mean));
      const z = tf.mul(tf.sub(all, mean), tf.rsqrt(tf.add(variance, 1e-5)));
      const [first, second] = viewsOf(z, rows);
      const correlation = tf.div(tf.matMul(first as never, second as never, true), first.shape[0]);
      const identity = tf.eye(embeddings.shape[1]);
      const weights = tf.add(tf.mul(identity, 1 - params.lambda), params.lambda);
      return { loss: tf.mul(tf.sum(tf.mul(tf.square(tf.sub(correlation, identity)), weights)), params.scale_loss) };

      function viewsOf(everyone: Tensor, ownRows: number): [Tensor, Tensor] {
        const width = everyone.shape[1]!;
        const half = ownRows / 2;
        const view = (v: number) =>
          tf.concat(
            Array.from({ length: ranks.size }, (_, r) =>
              tf.slice(everyone, [r * ownRows + v * half, 0], [half, width]),
            ),
            0,
          );
        return [view(0), view(1)];
      }
    },
});
