import { batch, defineNode, T } from '../../runtime/node.ts';
import { globalBatch, known } from './derived.ts';

/**
 * SimCLR with several crops: every ordered pair of crops of an image is a positive, and the crops of other images are
 * the negatives: −mean log(e^p / (e^p + Σ e^n)). As in the reference code negatives come from this rank only, so ranks
 * exchange nothing.
 */
export default defineNode({
  type: 'loss/multicrop_simclr_info_nce',
  description: "SimCLR's loss over all pairs of several crops.",
  aliases: ['multicrop_simclr_info_nce_loss'],
  role: 'loss',
  params: T.Object({
    temperature: T.Number({ default: 0.1, exclusiveMinimum: 0, description: 'softmax temperature' }),
  }),
  inputs: { embeddings: batch.tensor('float32', ['V*N', 'D'], { description: 'crop-major' }) },
  outputs: { loss: batch.scalar('float32') },
  show: ['temperature'],
  derives: (context) =>
    known({
      num_crops: context.symbols.V,
      world_size: context.ranks,
      effective_batch_size: globalBatch(context),
    }),
  create: ({ params, symbols, tf, ops }) => {
    const crops = symbols.V;
    if (crops === undefined || crops < 2) {
      throw new Error(`loss/multicrop_simclr_info_nce needs two crops or more, not ${crops}`);
    }
    return ({ embeddings }) => {
      const rows = embeddings.shape[0];
      const images = rows / crops;
      if (!Number.isInteger(images)) throw new Error(`${rows} rows are no whole number of images with ${crops} crops`);
      const z = ops.l2Normalize(embeddings);
      const sameImage = ops.noGrad(() => tf.tile(tf.mul(tf.eye(images), -1e9), [crops, crops]));
      const similarity = tf.div(tf.matMul(z as never, z as never, false, true), params.temperature);
      const negatives = tf.logSumExp(tf.add(similarity, sameImage), 1);
      const terms = Array.from({ length: crops - 1 }, (_, i) => {
        const shift = (i + 1) * images;
        const other = tf.concat([tf.slice(z, [shift, 0], [rows - shift, -1]), tf.slice(z, [0, 0], [shift, -1])], 0);
        const positive = tf.div(tf.sum(tf.mul(z, other), 1), params.temperature);
        return tf.mean(tf.softplus(tf.sub(negatives, positive)));
      });
      return { loss: tf.div(tf.addN(terms), terms.length) };
    };
  },
});
