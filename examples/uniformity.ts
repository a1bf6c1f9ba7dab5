import { batch, defineNode, T } from 'pipe-ssl';

/**
 * A node of one's own: how evenly embeddings cover the sphere, log mean exp(-t·|zi - zj|²) over pairs of rows.
 * Wang and Isola 2020, arXiv:2005.10242.
 *   pipe run examples/uniformity.json --plugin examples/uniformity.ts
 */
export default defineNode({
  type: 'loss/uniformity',
  role: 'loss',
  description: 'Uniformity of embeddings on the sphere. Wang and Isola 2020, arXiv:2005.10242.',
  params: T.Object({
    t: T.Number({ default: 2, exclusiveMinimum: 0, description: 'sharpness of the Gaussian kernel' }),
    weight: T.Number({ default: 1, minimum: 0, description: 'factor of the loss' }),
  }),
  inputs: { embeddings: batch.tensor('float32', ['V*N', 'D']) },
  outputs: { loss: batch.scalar() },
  create:
    ({ params, tf, ops }) =>
    ({ embeddings }) => {
      const z = ops.l2Normalize(embeddings);
      const rows = z.shape[0];
      // |zi - zj|² = 2 - 2 zi·zj on the sphere; the diagonal adds exp(0) = 1 per row and is taken out
      const kernel = tf.exp(tf.mul(tf.sub(1, tf.matMul(z, tf.transpose(z))), -2 * params.t));
      const mean = tf.div(tf.sub(tf.sum(kernel), rows), rows * (rows - 1));
      return { loss: tf.mul(tf.log(mean), params.weight) };
    },
});
