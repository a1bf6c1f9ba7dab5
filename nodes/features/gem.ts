import type { PortValue } from '../../graph/port.ts';
import { batch, defineNode, T } from '../../runtime/node.ts';

/**
 * Generalised mean of a feature map: (mean of max(x, eps)^p)^(1/p) per channel. Radenović et al. 2018,
 * arXiv:1711.02512. p = 1 is the average, "inf" the maximum, both without the bound.
 */
export default defineNode({
  type: 'features/gem',
  description: 'Pools feature maps by their generalised mean (arXiv:1711.02512).',
  aliases: ['gem'],
  role: 'compute',
  params: T.Object({
    p: T.Union([T.Number({ exclusiveMinimum: 0 }), T.Literal('inf')], {
      default: 3,
      description: 'power; VISSL retrieves with 4',
    }),
    eps: T.Number({ default: 1e-6, exclusiveMinimum: 0, description: 'smallest value taken to the power' }),
    clamp: T.Boolean({ default: true, description: 'raise smaller values to eps' }),
    add_bias: T.Boolean({ default: false, description: 'a last channel that is 1' }),
  }),
  inputs: { features: batch.tensor('float32', ['N', 'H', 'W', 'C']) },
  outputs: { output: batch.tensor('float32', ['N', 'D'], { description: 'a value per channel' }) },
  show: ['p'],
  infer: ({ params, inputs }): Record<string, Partial<PortValue>> => {
    const shape = inputs.features?.[0]?.shapes?.[0];
    if (!shape) return {};
    const [rows, , , [channels]] = shape as [never, never, never, readonly (number | string)[]];
    if (!params.add_bias) return { output: { shapes: [[rows, shape[3]!]] } };
    return typeof channels === 'number' && shape[3]!.length === 1
      ? { output: { shapes: [[rows, [channels + 1]]] } }
      : {};
  },
  create: ({ params: { p, eps, clamp, add_bias }, tf }) => {
    const pool = (features: any) => {
      if (p === 'inf') return tf.max(features, [1, 2]);
      if (p === 1) return tf.mean(features, [1, 2]);
      const bounded = clamp ? tf.maximum(features, eps) : features;
      return tf.pow(tf.mean(tf.pow(bounded, p), [1, 2]), 1 / p);
    };
    return ({ features }) => {
      const pooled = pool(features);
      return { output: add_bias ? tf.concat([pooled, tf.ones([pooled.shape[0], 1])], 1) : pooled };
    };
  },
});
