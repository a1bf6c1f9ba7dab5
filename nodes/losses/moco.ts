import { batch, defineNode, T } from '../../runtime/node.ts';
import type { Tensor } from '../../runtime/tensor/types.ts';

/**
 * MoCo: a query is to be nearest to the key of its image among a queue of keys of past images. He et al. 2020,
 * arXiv:1911.05722. Queries are l2-normalised here, keys are taken as they come. After the loss the keys of all ranks, in
 * rank order, replace the oldest ones of the queue.
 */
export default defineNode({
  type: 'loss/moco',
  description: "MoCo's loss: query and key of an image against a queue of keys (arXiv:1911.05722).",
  aliases: ['moco_loss'],
  role: 'loss',
  params: T.Object({
    queue_size: T.Integer({ default: 65536, minimum: 1, description: 'keys in the queue; a multiple of the batch' }),
    temperature: T.Number({ default: 0.2, exclusiveMinimum: 0, description: 'softmax temperature' }),
  }),
  inputs: {
    query: batch.tensor('float32', ['N', 'D'], { description: 'embeddings by the trained encoder' }),
    key: batch.tensor('float32', ['N', 'D'], { description: 'l2-normalised, by the momentum encoder' }),
  },
  outputs: { loss: batch.scalar('float32') },
  show: ['queue_size', 'temperature'],
  create: ({ params, symbols, tf, ops, ranks, state, run }) => {
    const { queue_size: size, temperature } = params;
    const width = symbols.D;
    if (width === undefined) throw new Error('loss/moco cannot tell the width of its queries');
    const images = run.batchSize * ranks.size;
    if (size % images !== 0) {
      throw new Error(`queue_size ${size} is not a multiple of the ${images} images of a batch. Choose one that is`);
    }
    const queue = state.tensor('queue', [width, size], 'float32', (random) =>
      unitColumns(width, size, () => random.normal()),
    );
    const pointer = state.number('queue_ptr', 0);
    const enqueue = async (key: Tensor) => {
      const mine = ops.noGrad(() => tf.transpose(key));
      const all = await ranks.allGather(ops.noGrad(() => tf.clone(key)));
      const count = all.shape[0];
      if (size % count !== 0) throw new Error(`a batch of ${count} keys does not divide the queue of ${size}`);
      const at = pointer.value;
      const next = ops.noGrad(() => {
        const parts = [
          ...(at > 0 ? [tf.slice(queue, [0, 0], [width, at])] : []),
          ranks.size === 1 ? mine : tf.transpose(all),
          ...(at + count < size ? [tf.slice(queue, [0, at + count], [width, size - at - count])] : []),
        ];
        return parts.length === 1 ? tf.clone(parts[0]) : tf.concat(parts, 1);
      });
      queue.assign(next as never);
      next.dispose();
      pointer.value = (at + count) % size;
    };
    return async ({ query, key }, step) => {
      const q = ops.l2Normalize(query);
      const sure = ops.noGrad(() => tf.clone(key));
      const positive = tf.sum(tf.mul(q, sure), 1, true);
      const logits = tf.div(tf.concat([positive, tf.matMul(q as never, queue as never)], 1), temperature);
      const labels = ops.noGrad(() => tf.zeros([query.shape[0]], 'int32'));
      const loss = ops.crossEntropy(logits, labels);
      if (step.training) await enqueue(key);
      return { loss };
    };
  },
});

function unitColumns(rows: number, columns: number, draw: () => number): Float32Array {
  const values = Float32Array.from({ length: rows * columns }, draw);
  for (let column = 0; column < columns; column++) {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += values[row * columns + column] ** 2;
    for (let row = 0; row < rows; row++) values[row * columns + column] /= Math.sqrt(sum);
  }
  return values;
}
