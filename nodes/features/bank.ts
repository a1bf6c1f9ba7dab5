import { batch, defineNode, once, T } from '../../runtime/node.ts';
import type { Tensor } from '../../runtime/tensor/types.ts';
import { type BankChunk, joinChunks } from './feature-bank.ts';

/**
 * Collects features over a phase into one matrix in host memory (4·N·D bytes), sorted by sample index, each sample once.
 * With several ranks every rank gets the whole bank.
 */
export default defineNode({
  type: 'features/bank',
  description: 'Features of a whole phase, with labels, for evaluators and clustering.',
  role: 'bank',
  params: T.Object({
    maps: T.Union([T.Literal('average'), T.Literal('flatten')], {
      default: 'average',
      description: 'feature maps [N, H, W, C]: average over places, or all values (channels first, as PyTorch)',
    }),
  }),
  inputs: {
    features: batch.tensor('float32', undefined, { description: '[N, D], [N, H, W, C], or [N, R, D] of regions' }),
    label: {
      ...batch.label(['N'], { optional: true, description: 'class index [N], or 1, 0, -1 per class [N, C]' }),
      shape: undefined,
    },
    index: batch.index(['N']),
  },
  outputs: { bank: once.bank(['M', 'D'], { description: 'one row per sample, in the order of the dataset' }) },
  show: ['maps'],
  create: ({ params, tf, ops, ranks, signal }) => {
    let chunks: (BankChunk | undefined)[] = [];
    let width = 0;
    let labelWidth: number | undefined;
    const vectors = (features: Tensor): Tensor => {
      if (features.shape.length === 2) return tf.clone(features);
      if (features.shape.length === 3) return tf.reshape(features, [features.shape[0], -1]);
      if (params.maps === 'average') return tf.mean(features, [1, 2]);
      return tf.reshape(tf.transpose(features, [0, 3, 1, 2]), [features.shape[0], -1]);
    };
    const gather = async (tensor: Tensor): Promise<Tensor> => {
      const all = await ranks.allGather(tensor);
      tensor.dispose();
      return all;
    };
    const read = async <A>(tensor: Tensor): Promise<A> => {
      const values = (await tensor.data()) as A;
      tensor.dispose();
      return values;
    };
    return {
      reset() {
        chunks = [];
      },
      async add(inputs) {
        signal.throwIfAborted();
        const features = await gather(ops.noGrad(() => vectors(inputs.features)));
        width = features.shape[1]!;
        const values = Float32Array.from(await read<Float32Array>(features));
        const labels = inputs.label && (await read<Int32Array>(await gather(tf.clone(inputs.label))));
        if (inputs.label?.shape.length === 2) labelWidth = inputs.label.shape[1];
        const indices = await read<Int32Array>(await gather(tf.clone(inputs.index)));
        chunks.push({
          features: values,
          indices: Int32Array.from(indices),
          ...(labels ? { labels: Int32Array.from(labels) } : {}),
        });
      },
      finish() {
        const bank = joinChunks(chunks, width, labelWidth);
        chunks = [];
        return { bank };
      },
    };
  },
});
