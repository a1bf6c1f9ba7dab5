import type { Layer, Stage } from '../../graph/model/layers.ts';
import { batch, defineNode, T } from '../../runtime/node.ts';
import { checkWidth, featuresInput } from './features-input.ts';

/**
 * SwAV's projection head and prototypes. Caron et al. 2020, arXiv:2006.09882. A linear layer for each pair of dims; all
 * but the last are followed by batch norm (if `use_bn`) and an activation. The result is l2-normalised, and each set of
 * prototypes is a linear layer without bias whose outputs are the scores. State-dict names of VISSL's swav_head.
 */
export default defineNode({
  type: 'head/swav',
  description: "SwAV's projection head with prototypes (arXiv:2006.09882).",
  aliases: ['swav_head'],
  role: 'model',
  head: true,
  params: T.Object({
    dims: T.Array(T.Integer({ minimum: 1 }), { minItems: 2, description: 'widths from the features to the embedding' }),
    use_bn: T.Boolean({ default: true, description: 'batch norm after each linear layer but the last' }),
    num_clusters: T.Array(T.Integer({ minimum: 1 }), { description: 'prototypes of each set; []: projection only' }),
    use_bias: T.Boolean({ default: true, description: 'bias in the projection' }),
    skip_last_bn: T.Boolean({ default: true, description: 'no batch norm and activation after the last layer' }),
    normalize_feats: T.Boolean({ default: true, description: 'l2-normalise the embedding' }),
    activation: T.Union([T.Literal('relu'), T.Literal('gelu')], { default: 'relu', description: 'between layers' }),
    use_weight_norm_prototypes: T.Boolean({
      default: false,
      description: 'prototypes of unit length by construction (weight_g fixed at 1, weight_v learned)',
    }),
    bn_eps: T.Number({ default: 1e-5, exclusiveMinimum: 0, description: 'added to the variance' }),
    bn_momentum: T.Number({ default: 0.1, description: 'share of a new batch in the running statistics' }),
  }),
  inputs: { features: featuresInput },
  outputs: {
    embeddings: batch.tensor('float32', ['V*N', 'D'], { description: 'l2-normalised unless told otherwise' }),
    scores: batch.tensor('float32', ['V*N', 'K'], { list: true, description: 'one per set of prototypes' }),
    prototypes: batch.weights(['D', 'K'], { list: true, description: 'weights of the prototypes, by reference' }),
  },
  show: ['dims', 'num_clusters'],
  model: ({ params, inputs, problem }) => {
    const { dims, num_clusters, normalize_feats, use_weight_norm_prototypes } = params;
    if (!checkWidth(inputs.features?.[0], dims, problem)) return undefined;
    const embedding = normalize_feats ? 'normalize' : 'projection_head';
    const normalize: Stage = { name: 'normalize', layer: { op: 'l2_normalize' } };
    return {
      stages: [
        { name: 'flatten', layer: { op: 'flatten' } },
        { name: 'projection_head', layer: { op: 'sequence', layers: projection(params) } },
        ...(normalize_feats ? [normalize] : []),
      ],
      outputs: {
        embeddings: { stage: embedding },
        scores: num_clusters.map((out, i) => ({
          stage: embedding,
          layer: {
            op: 'linear',
            name: `prototypes${i}`,
            in: dims.at(-1)!,
            out,
            bias: false,
            ...(use_weight_norm_prototypes ? { weightNorm: true } : {}),
          },
        })),
      },
      weights: {
        prototypes: num_clusters.map((_, i) => `prototypes${i}.weight${use_weight_norm_prototypes ? '_v' : ''}`),
      },
    };
  },
});

interface Projection {
  readonly dims: readonly number[];
  readonly use_bn: boolean;
  readonly use_bias: boolean;
  readonly skip_last_bn: boolean;
  readonly activation: 'relu' | 'gelu';
  readonly bn_eps: number;
  readonly bn_momentum: number;
}

function projection(params: Projection): Layer[] {
  const layers: Layer[] = [];
  const add = (layer: Layer) => layers.push({ ...layer, name: String(layers.length) });
  params.dims.slice(1).forEach((out, i) => {
    add({ op: 'linear', in: params.dims[i], out, bias: params.use_bias });
    if (i === params.dims.length - 2 && params.skip_last_bn) return;
    if (params.use_bn) add({ op: 'batch_norm', features: out, eps: params.bn_eps, momentum: params.bn_momentum });
    add({ op: params.activation });
  });
  return layers;
}
