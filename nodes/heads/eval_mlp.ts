import { size } from '../../graph/dim.ts';
import { batch, defineNode, T } from '../../runtime/node.ts';
import { mlpLayers } from './mlp.ts';

/**
 * A classifier on frozen features: batch norm over their channels, then an MLP over all their values. Maps are flattened
 * channels first, as in PyTorch; state-dict names of VISSL's eval_mlp (channel_bn, clf.clf.0).
 */
export default defineNode({
  type: 'head/eval_mlp',
  description: 'Batch norm and linear layers on frozen feature maps, for linear evaluation.',
  aliases: ['eval_mlp'],
  role: 'model',
  head: true,
  params: T.Object({
    in_channels: T.Integer({ minimum: 1, description: 'channels of the features' }),
    dims: T.Array(T.Integer({ minimum: 1 }), {
      minItems: 2,
      description: 'widths from all values of the features to the classes',
    }),
    use_bn: T.Boolean({ default: false, description: 'batch norm between linear layers' }),
    use_relu: T.Boolean({ default: false, description: 'ReLU between linear layers' }),
    use_dropout: T.Boolean({ default: false, description: 'dropout of one half between linear layers' }),
    bn_eps: T.Number({ default: 1e-5, exclusiveMinimum: 0, description: 'added to the variance' }),
    bn_momentum: T.Number({ default: 0.1, description: 'share of a new batch in the running statistics' }),
    params_multiplier: T.Number({ default: 1, description: 'factor on the initial weights and biases' }),
  }),
  inputs: { features: batch.tensor('float32', undefined, { description: '[N, D] or [N, H, W, C]' }) },
  outputs: { output: batch.tensor('float32', ['N', 'K'], { description: 'logits' }) },
  show: ['in_channels', 'dims'],
  model: ({ params, inputs, problem }) => {
    const shape = inputs.features?.[0]?.shapes?.[0]?.slice(1).map(size);
    const channels = shape?.at(-1);
    if (channels !== undefined && channels !== params.in_channels) {
      const message = `in_channels is ${params.in_channels}, and the features have ${channels}`;
      problem({ at: 'in_channels', message, cure: `Write ${channels}` });
      return undefined;
    }
    if (shape?.every((n) => n !== undefined)) {
      const values = shape.reduce<number>((a, b) => a * b!, 1);
      if (values !== params.dims[0]) {
        const message = `dims begins with ${params.dims[0]}, and the features have ${values} values (${shape.join('×')})`;
        problem({ at: 'dims', message, cure: `Write dims as [${[values, ...params.dims.slice(1)].join(', ')}]` });
        return undefined;
      }
    }
    const { bn_eps: eps, bn_momentum: momentum } = params;
    const layers = mlpLayers({ ...params, use_bias: true, skip_last_layer_relu_bn: true });
    return {
      stages: [
        { name: 'channel_bn', layer: { op: 'batch_norm', features: params.in_channels, eps, momentum } },
        { name: 'flatten', layer: { op: 'flatten' } },
        { name: 'clf', layer: { op: 'sequence', name: 'clf', layers } },
      ],
      outputs: { output: { stage: 'clf' } },
    };
  },
});
