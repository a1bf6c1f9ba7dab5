import type { Dim, PortValue } from '../../graph/port.ts';
import { batch, defineNode, T } from '../../runtime/node.ts';
import type { Tensor } from '../../runtime/tensor/types.ts';

/** The features of an image's patches side by side: [N·towers, C] → [N, towers·C]. Rows are image-major. */
export default defineNode({
  type: 'head/siamese_concat_view',
  description: 'Joins the features of the patches of each image (Jigsaw, PIRL).',
  aliases: ['siamese_concat_view'],
  role: 'compute',
  params: T.Object({ num_towers: T.Integer({ minimum: 1, description: 'patches per image' }) }),
  inputs: {
    features: batch.tensor('float32', undefined, { description: '[N·towers, C] or [N·towers, 1, 1, C]' }),
  },
  outputs: { output: batch.tensor('float32', undefined, { description: '[N, towers·C]' }) },
  show: ['num_towers'],
  infer: ({ params, inputs }): Readonly<Record<string, Partial<PortValue>>> => {
    const shape = inputs.features?.[0]?.shapes?.[0];
    if (!shape) return {};
    const [images, ...rest] = shape[0];
    const rows: Dim = images === params.num_towers ? rest : [`${shape[0].join('·')}/${params.num_towers}`];
    return { output: { shapes: [[rows.length > 0 ? rows : [1], [params.num_towers, ...shape.at(-1)!]]] } };
  },
  create:
    ({ params, tf }) =>
    (inputs) => {
      const features = inputs.features as Tensor;
      const rows = features.shape[0] / params.num_towers;
      if (!Number.isInteger(rows)) {
        throw new Error(
          `${features.shape[0]} rows are no whole number of images with ${params.num_towers} patches each`,
        );
      }
      const width = features.size / features.shape[0];
      return { output: tf.reshape(features, [rows, params.num_towers * width]) };
    },
});
