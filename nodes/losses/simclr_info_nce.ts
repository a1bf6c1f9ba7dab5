import { batch, defineNode, T } from '../../runtime/node.ts';
import type { Tensor } from '../../runtime/tensor/types.ts';
import { known } from './derived.ts';
import { gather, withGradientOf } from './gathered.ts';

/**
 * NT-Xent: each view is to be nearest to the other view of its image among all views of all ranks. Chen et al. 2020,
 * arXiv:2002.05709. Embeddings are l2-normalised here; the mean is over this rank's views, and gradients are those of
 * the sum of all ranks' losses.
 */
export default defineNode({
  type: 'loss/simclr_info_nce',
  description: "SimCLR's loss: the two views of an image against all other views (arXiv:2002.05709).",
  aliases: ['simclr_info_nce_loss'],
  role: 'loss',
  params: T.Object({
    temperature: T.Number({ default: 0.1, exclusiveMinimum: 0, description: 'softmax temperature' }),
  }),
  inputs: {
    embeddings: batch.tensor('float32', ['V*N', 'D'], { description: 'all first views, then all second ones' }),
  },
  outputs: { loss: batch.scalar('float32') },
  show: ['temperature'],
  derives: ({ symbols: { V, N }, ranks }) =>
    known({ world_size: ranks, effective_batch_size: V && N ? V * N * ranks : undefined }),
  create:
    ({ params, tf, ops, ranks }) =>
    async ({ embeddings }) => {
      const rows = rowsOfTwoViews(embeddings);
      const { all, start } = await gather({ tf, ops, ranks }, ops.l2Normalize(embeddings));
      const total = all.shape[0];
      const self = ops.noGrad(() => tf.mul(tf.eye(total), -1e9));
      const logits = tf.add(tf.div(tf.matMul(all as never, all as never, false, true), params.temperature), self);
      const labels = ops.noGrad(() => tf.tensor1d(positives(total, rows), 'int32'));
      const mean = ops.crossEntropy(logits, labels);
      if (ranks.size === 1) return { loss: mean };
      const own = ops.noGrad(() =>
        ops.crossEntropy(tf.slice(logits, [start, 0], [rows, total]), tf.slice(labels, [start], [rows])),
      );
      return { loss: withGradientOf({ tf, ops }, tf.mul(mean, ranks.size), own) };
    },
});

function rowsOfTwoViews({ shape }: Tensor): number {
  if (shape.length === 2 && shape[0] % 2 === 0) return shape[0];
  throw new Error(`loss/simclr_info_nce takes two views per image, [2·N, D], not [${shape}]`);
}

/** Row of the other view of the same image; ranks of `rows` rows follow one another. */
function positives(total: number, rows: number): Int32Array {
  const half = rows / 2;
  return Int32Array.from({ length: total }, (_, row) => (row % rows < half ? row + half : row - half));
}
