import { batch, defineNode, T } from '../../runtime/node.ts';
import type { Tensor } from '../../runtime/tensor/types.ts';
import { gather, withGradientOf } from './gathered.ts';
import { twoViews } from './two-views.ts';

/**
 * Decoupled contrastive learning: NT-Xent without the positive in the denominator. Yeh et al. 2022, arXiv:2110.06848. Per
 * anchor: −w·s⁺ + log Σ e^s over both views of the other images; mean over both directions. With `sigma` (DCLW) w = 2 − n·softmax(s⁺·temperature / sigma) over this rank's images, else 1.
 */
export default defineNode({
  type: 'loss/dcl',
  description: 'Decoupled contrastive loss, plain or weighted (arXiv:2110.06848).',
  aliases: ['DCLLoss'],
  presets: { DCLWLoss: { sigma: 0.5 } },
  role: 'loss',
  params: T.Object({
    temperature: T.Number({ default: 0.1, exclusiveMinimum: 0, description: 'similarities are divided by it' }),
    sigma: T.Optional(
      T.Number({ exclusiveMinimum: 0, description: 'width of the weights of DCLW; absent: no weights' }),
    ),
    gather: T.Boolean({ default: false, description: 'negatives from all ranks (gather_distributed in lightly)' }),
  }),
  inputs: {
    embeddings: batch.tensor('float32', ['V*N', 'D'], { description: 'all first views, then all second ones' }),
  },
  outputs: { loss: batch.scalar('float32') },
  show: ['temperature', 'sigma'],
  create: ({ params, tf, ops, ranks, name }) => {
    /** of one direction, per anchor; anchors are all rows given, in blocks of `images` by rank */
    const direction = (anchors: Tensor, others: Tensor, images: number): Tensor => {
      const rows = anchors.shape[0];
      const self = ops.noGrad(() => tf.mul(tf.eye(rows), -1e9));
      const similar = (a: Tensor, b: Tensor) =>
        tf.div(tf.matMul(a as never, b as never, false, true), params.temperature);
      const cosine = tf.sum(tf.mul(anchors, others), 1);
      const negatives = tf.logSumExp(
        tf.concat([tf.add(similar(anchors, anchors), self), tf.add(similar(anchors, others), self)], 1),
        1,
      );
      const positive = tf.div(cosine, params.temperature);
      const { sigma } = params;
      if (sigma === undefined) return tf.sub(negatives, positive);
      const weights = ops.noGrad(() => {
        const shares = tf.softmax(tf.reshape(tf.div(cosine, sigma), [rows / images, images]));
        return tf.sub(2, tf.mul(tf.reshape(shares, [rows]), images));
      });
      return tf.sub(negatives, tf.mul(positive, weights));
    };
    return async ({ embeddings }) => {
      const [first, second] = twoViews(tf, ops.l2Normalize(embeddings), name);
      const images = first.shape[0];
      const meets = params.gather && ranks.size > 1;
      const a = meets ? await gather({ tf, ops, ranks }, first) : { all: first, start: 0 };
      const b = meets ? await gather({ tf, ops, ranks }, second) : { all: second, start: 0 };
      const both = tf.div(tf.add(direction(a.all, b.all, images), direction(b.all, a.all, images)), 2);
      if (!meets) return { loss: tf.mean(both) };
      const own = ops.noGrad(() => tf.mean(tf.slice(both, [a.start], [images])));
      return { loss: withGradientOf({ tf, ops }, tf.mul(tf.mean(both), ranks.size), own) };
    };
  },
});
