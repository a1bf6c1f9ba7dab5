import type { Layer, Linear } from '../../graph/model/layers.ts';
import { batch, defineNode, T } from '../../runtime/node.ts';
import { checkWidth, featuresInput } from './features-input.ts';

/**
 * Linear layers with batch norm, ReLU and dropout (0.5) between them; state-dict names of VISSL's mlp (clf.0.weight).
 * Differences from the reference code: with several dims and no ReLU, VISSL v0.1.5 builds layers whose widths do not
 * match; here each layer begins where the one before it ends. As on VISSL's main branch, the last layer has no batch
 * norm and no ReLU unless `skip_last_layer_relu_bn` is false, which is what v0.1.5 always does.
 */
export default defineNode({
  type: 'head/mlp',
  description: 'A multi-layer perceptron: a projector, or a linear classifier.',
  aliases: ['mlp'],
  role: 'model',
  head: true,
  params: T.Object({
    dims: T.Array(T.Integer({ minimum: 1 }), { minItems: 2, description: 'widths from the features to the output' }),
    use_bn: T.Boolean({ default: false, description: 'batch norm after each linear layer' }),
    use_relu: T.Boolean({ default: false, description: 'ReLU after each linear layer' }),
    use_dropout: T.Boolean({ default: false, description: 'dropout of one half after each linear layer' }),
    use_bias: T.Boolean({ default: true, description: 'bias in the linear layers' }),
    skip_last_layer_relu_bn: T.Boolean({ default: true, description: 'no batch norm and ReLU after the last layer' }),
    bn_eps: T.Number({ default: 1e-5, exclusiveMinimum: 0, description: 'added to the variance' }),
    bn_momentum: T.Number({ default: 0.1, description: 'share of a new batch in the running statistics' }),
    params_multiplier: T.Number({ default: 1, description: 'factor on the initial weights and biases' }),
  }),
  inputs: { features: featuresInput },
  outputs: { output: batch.tensor('float32', ['N', 'D'], { description: 'what the last layer gives' }) },
  show: ['dims', 'use_bn', 'use_relu'],
  model: ({ params, inputs, problem }) => {
    if (!checkWidth(inputs.features?.[0], params.dims, problem)) return undefined;
    return {
      stages: [
        { name: 'flatten', layer: { op: 'flatten' } },
        { name: 'clf', layer: { op: 'sequence', layers: mlpLayers(params) } },
      ],
      outputs: { output: { stage: 'clf' } },
    };
  },
});

export interface MlpParams {
  readonly dims: readonly number[];
  readonly use_bn: boolean;
  readonly use_relu: boolean;
  readonly use_dropout: boolean;
  readonly use_bias: boolean;
  readonly skip_last_layer_relu_bn: boolean;
  readonly bn_eps: number;
  readonly bn_momentum: number;
  readonly params_multiplier: number;
}

/** The layers, named by their position. Dropout follows the last layer only when its batch norm and ReLU do. */
export function mlpLayers(params: MlpParams): Layer[] {
  const layers: Layer[] = [];
  const add = (layer: Layer) => layers.push({ ...layer, name: String(layers.length) });
  params.dims.slice(1).forEach((out, i) => {
    const linear: Linear = { op: 'linear', in: params.dims[i], out, bias: params.use_bias };
    const scale = params.params_multiplier;
    add(scale === 1 ? linear : { ...linear, init: { kind: 'pytorch', scale } });
    const last = i === params.dims.length - 2;
    if (last && params.skip_last_layer_relu_bn) return;
    if (params.use_bn) add({ op: 'batch_norm', features: out, eps: params.bn_eps, momentum: params.bn_momentum });
    if (params.use_relu) add({ op: 'relu' });
    if (params.use_dropout) add({ op: 'dropout', p: 0.5 });
  });
  return layers;
}
