import type { Layer } from '../../graph/model/layers.ts';
import { batch, defineNode, T } from '../../runtime/node.ts';
import { checkWidth, featuresInput } from './features-input.ts';

/**
 * DINO's head: an MLP with GELU to a bottleneck, l2 normalisation, and prototypes with weight normalisation. Caron et al.
 * 2021, arXiv:2104.14294. Weights begin normal with deviation 0.02 (upstream cut off at ±2, which 100 deviations never
 * meet), biases at 0. State-dict names of VISSL's dino_head.
 */
export default defineNode({
  type: 'head/dino',
  description: "DINO's projection head with weight-normalised prototypes (arXiv:2104.14294).",
  aliases: ['dino_head'],
  role: 'model',
  head: true,
  params: T.Object({
    in_dim: T.Integer({ minimum: 1, description: 'width of the features' }),
    num_clusters: T.Array(T.Integer({ minimum: 1 }), { minItems: 1, description: 'prototypes of each set' }),
    use_bn: T.Boolean({ default: false, description: 'batch norm between linear layers' }),
    num_layers: T.Integer({ default: 3, minimum: 1, description: 'linear layers before the prototypes' }),
    hidden_dim: T.Integer({ default: 2048, minimum: 1, description: 'width between them' }),
    bottleneck_dim: T.Integer({ default: 256, minimum: 1, description: 'width before the prototypes' }),
    bn_eps: T.Number({ default: 1e-5, exclusiveMinimum: 0, description: 'added to the variance' }),
    bn_momentum: T.Number({ default: 0.1, description: 'share of a new batch in the running statistics' }),
  }),
  inputs: { features: featuresInput },
  outputs: {
    embeddings: batch.tensor('float32', ['V*N', 'D'], { description: 'l2-normalised' }),
    scores: batch.tensor('float32', ['V*N', 'K'], { list: true, description: 'one per set of prototypes' }),
  },
  show: ['in_dim', 'bottleneck_dim', 'num_clusters'],
  model: ({ params, inputs, problem }) => {
    const { in_dim, num_layers, hidden_dim, bottleneck_dim, num_clusters } = params;
    const hidden = Array.from({ length: num_layers - 1 }, () => hidden_dim);
    const dims = [in_dim, ...hidden, bottleneck_dim];
    if (!checkWidth(inputs.features?.[0], dims, problem)) return undefined;
    const layers: Layer[] = [];
    const add = (layer: Layer) => layers.push({ ...layer, name: String(layers.length) });
    dims.slice(1).forEach((out, i) => {
      add({
        op: 'linear',
        in: dims[i],
        out,
        init: { kind: 'normal', std: 0.02 },
        biasInit: { kind: 'constant', value: 0 },
      });
      if (i === dims.length - 2) return;
      if (params.use_bn) add({ op: 'batch_norm', features: out, eps: params.bn_eps, momentum: params.bn_momentum });
      add({ op: 'gelu' });
    });
    return {
      stages: [
        { name: 'flatten', layer: { op: 'flatten' } },
        { name: 'mlp', layer: { op: 'sequence', layers } },
        { name: 'normalize', layer: { op: 'l2_normalize' } },
      ],
      outputs: {
        embeddings: { stage: 'normalize' },
        scores: num_clusters.map((out, i) => ({
          stage: 'normalize',
          layer: { op: 'linear', name: `prototypes${i}`, in: bottleneck_dim, out, bias: false, weightNorm: true },
        })),
      },
    };
  },
});
