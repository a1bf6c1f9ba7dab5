import type { Dim } from '../../graph/port.ts';
import { batch, defineNode, once, T } from '../../runtime/node.ts';
import type { PcaWhitening } from '../../runtime/retrieval/pca-whitening.ts';
import { rmacRegions } from '../../runtime/retrieval/rmac-regions.ts';
import type { Tensor } from '../../runtime/tensor/types.ts';

/**
 * Regional maxima of a feature map: the maximum over square regions at several scales, each of length 1. With `pca` they
 * are whitened, scaled to length 1 again, summed over the regions and scaled. Tolias et al. 2016, arXiv:1511.05879.
 * To get a pca, collect `regions` in a features/bank and give it to features/pca_whitening.
 */
export default defineNode({
  type: 'features/rmac',
  description: 'Describes feature maps by maxima over regions (R-MAC, arXiv:1511.05879).',
  aliases: ['rmac'],
  role: 'compute',
  params: T.Object({
    levels: T.Integer({ default: 3, minimum: 1, description: 'scales of the regions' }),
    normalize: T.Boolean({ default: true, description: 'scale to length 1 after each step' }),
  }),
  inputs: {
    features: batch.tensor('float32', ['N', 'H', 'W', 'C']),
    pca: once.table({ optional: true, description: 'of features/pca_whitening' }),
  },
  outputs: {
    regions: batch.tensor('float32', ['N', 'R', 'C'], { description: 'a descriptor per region' }),
    output: batch.tensor('float32', ['N', 'D'], { description: 'a descriptor per image, the sum over its regions' }),
  },
  show: ['levels'],
  infer: ({ params, inputs }) => {
    const shape = inputs.features?.[0]?.shapes?.[0];
    const [rows, height, width, channels] = shape ?? [];
    const [h, w] = [single(height), single(width)];
    if (!shape || h === undefined || w === undefined) return {};
    const count = rmacRegions(h, w, params.levels).length;
    const pooled = inputs.pca ? {} : { output: { shapes: [[rows!, channels!]] } };
    return { regions: { shapes: [[rows!, [count], channels!]] }, ...pooled };
  },
  create: ({ params, tf }) => {
    // as in the reference code, without an epsilon
    const unit = (x: Tensor, axis: number): Tensor =>
      params.normalize ? tf.div(x, tf.norm(x, 'euclidean', axis, true)) : x;
    return (inputs) => {
      const features = inputs.features as Tensor;
      const [images, height, width, channels] = features.shape;
      const maxima = rmacRegions(height, width, params.levels).map(({ x, y, side }) =>
        tf.max(tf.slice(features, [0, y, x, 0], [images, side, side, channels]), [1, 2]),
      );
      const regions = unit(tf.stack(maxima, 1), 2);
      const pca = inputs.pca as PcaWhitening | undefined;
      if (!pca) return { regions, output: unit(tf.sum(regions, 1), 1) };
      if (pca.width !== channels) {
        throw new Error(`the pca is of descriptors of ${pca.width} values, and these have ${channels}`);
      }
      const centered = tf.sub(tf.reshape(regions, [-1, channels]), tf.tensor1d(Float32Array.from(pca.mean)));
      const matrix = tf.tensor2d(Float32Array.from(pca.matrix), [pca.components, pca.width]);
      const whitened = unit(tf.matMul(centered as never, matrix, false, true), 1);
      const each = tf.reshape(whitened, [images, maxima.length, pca.components]);
      return { regions, output: unit(tf.sum(each, 1), 1) };
    };
  },
});

const single = (dim: Dim | undefined): number | undefined =>
  dim?.length === 1 && typeof dim[0] === 'number' ? dim[0] : undefined;
