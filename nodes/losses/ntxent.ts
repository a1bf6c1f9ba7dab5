import { batch, defineNode, T } from '../../runtime/node.ts';
import type { Tensor } from '../../runtime/tensor/types.ts';
import simclr from './simclr_info_nce.ts';
import { twoViews } from './two-views.ts';

/**
 * NT-Xent as in lightly. Without a memory bank it is loss/simclr_info_nce, over this rank's views or (`gather`) those of
 * all. With one, the first view is to be nearest to the second among a bank of past second views, this rank's or those of
 * all; a batch that runs past the end of the bank is cut off there, and the next one begins at its head.
 */
export default defineNode({
  type: 'loss/ntxent',
  description: 'NT-Xent (arXiv:2002.05709), with an optional memory bank.',
  aliases: ['NTXentLoss'],
  role: 'loss',
  params: T.Object({
    temperature: T.Number({ default: 0.5, exclusiveMinimum: 0, description: 'softmax temperature' }),
    memory_bank_size: T.Integer({ default: 0, minimum: 0, description: 'embeddings in the bank; 0: none' }),
    gather: T.Boolean({ default: false, description: 'negatives from all ranks (gather_distributed in lightly)' }),
  }),
  inputs: {
    embeddings: batch.tensor('float32', ['V*N', 'D'], { description: 'all first views, then all second ones' }),
  },
  outputs: { loss: batch.scalar('float32') },
  show: ['temperature', 'memory_bank_size'],
  create: (context) => {
    const { params, symbols, tf, ops, ranks, state, name } = context;
    const { memory_bank_size: size, temperature } = params;
    if (size === 0) {
      const alone = { ...ranks, size: 1, rank: 0 };
      return createSimclr({ ...context, params: { temperature }, ranks: params.gather ? ranks : alone });
    }
    const width = symbols.D;
    if (width === undefined) throw new Error(`${name} cannot tell the width of its embeddings`);
    const bank = state.tensor('bank', [size, width], 'float32', (random) =>
      unitRows(size, width, () => random.normal()),
    );
    const pointer = state.number('bank_ptr', 0);
    const remember = async (own: Tensor) => {
      const views = params.gather ? await ranks.allGather(ops.noGrad(() => tf.clone(own))) : own;
      const at = pointer.value;
      const count = Math.min(views.shape[0], size - at);
      const next = ops.noGrad(() => {
        const parts = [
          ...(at > 0 ? [tf.slice(bank, [0, 0], [at, width])] : []),
          tf.slice(views, [0, 0], [count, width]),
          ...(at + count < size ? [tf.slice(bank, [at + count, 0], [size - at - count, width])] : []),
        ];
        return tf.concat(parts, 0);
      });
      bank.assign(next as never);
      next.dispose();
      pointer.value = at + count >= size ? 0 : at + count;
    };
    return async ({ embeddings }, step) => {
      const [first, second] = twoViews(tf, ops.l2Normalize(embeddings), name);
      const positive = tf.sum(tf.mul(first, second), 1, true);
      const negative = tf.matMul(first as never, bank as never, false, true);
      const logits = tf.div(tf.concat([positive, negative], 1), temperature);
      const labels = ops.noGrad(() => tf.zeros([first.shape[0]], 'int32'));
      const loss = ops.crossEntropy(logits, labels);
      if (step.training) await remember(second);
      return { loss };
    };
  },
});

const createSimclr = (simclr as Extract<typeof simclr, { role: 'compute' | 'target' | 'loss' }>).create;

function unitRows(rows: number, width: number, draw: () => number): Float32Array {
  const values = Float32Array.from({ length: rows * width }, draw);
  for (let start = 0; start < values.length; start += width) {
    const row = values.subarray(start, start + width);
    const length = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0));
    row.set(row.map((x) => x / length));
  }
  return values;
}
