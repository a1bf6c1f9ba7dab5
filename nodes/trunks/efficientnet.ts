import type { Conv2d, Layer, Stage } from '../../graph/model/layers.ts';
import { batch, defineNode, T } from '../../runtime/node.ts';
import { inputChannels } from './input-type.ts';

/** width, depth, dropout before a classifier */
const VERSIONS = {
  B0: [1, 1, 0.2],
  B1: [1, 1.1, 0.2],
  B2: [1.1, 1.2, 0.3],
  B3: [1.2, 1.4, 0.3],
  B4: [1.4, 1.8, 0.4],
  B5: [1.6, 2.2, 0.4],
  B6: [1.8, 2.6, 0.5],
  B7: [2, 3.1, 0.5],
} as const;

type Version = keyof typeof VERSIONS;

/** kernel, repeats, channels in, channels out, expansion, stride */
const STAGES = [
  [3, 1, 32, 16, 1, 1],
  [3, 2, 16, 24, 6, 2],
  [5, 2, 24, 40, 6, 2],
  [3, 3, 40, 80, 6, 2],
  [5, 3, 80, 112, 6, 1],
  [5, 4, 112, 192, 6, 2],
  [3, 1, 192, 320, 6, 1],
] as const;

const map = batch.tensor('float32', ['N', 'H', 'W', 'C']);

interface Scale {
  readonly version: Version;
  readonly divisor: number;
  readonly minWidth: number | undefined;
}

interface Block {
  readonly kernel: number;
  readonly from: number;
  readonly to: number;
  readonly expansion: number;
  readonly stride: number;
}

/**
 * EfficientNet (Tan and Le 2019, arXiv:1905.11946) with features of every block. Convolutions pad by half their kernel, as
 * ClassyVision's do; state-dict names are its own under `_feature_blocks`. In training a block with a shortcut is left
 * out with a probability that rises to `drop_connect_rate` at the last block.
 */
export default defineNode({
  type: 'trunk/efficientnet',
  description: 'EfficientNet B0 to B7 (arXiv:1905.11946) with features of every block.',
  aliases: ['efficientnet'],
  role: 'model',
  params: T.Object({
    model_version: T.Union(
      (Object.keys(VERSIONS) as Version[]).map((version) => T.Literal(version)),
      { description: 'B0 to B7' },
    ),
    drop_connect_rate: T.Number({ default: 0.2, minimum: 0, exclusiveMaximum: 1, description: 'of the last block' }),
    width_divisor: T.Integer({ default: 8, minimum: 1, description: 'channels are a multiple of it' }),
    min_width: T.Optional(T.Integer({ minimum: 1, description: 'least channels; default: width_divisor' })),
    use_se: T.Boolean({ default: true, description: 'squeeze-and-excitation' }),
    bn_epsilon: T.Number({ default: 1e-3, exclusiveMinimum: 0, description: 'added to the variance' }),
    bn_momentum: T.Number({ default: 0.01, description: 'share of a new batch in the running statistics' }),
    input: T.Union([T.Literal('rgb'), T.Literal('bgr')], { default: 'rgb', description: 'order of the channels' }),
  }),
  inputs: {
    images: batch.image(['N', 'H', 'W', 3], { list: true, description: 'one group per size; run one by one' }),
  },
  outputs: ({ model_version, width_divisor, min_width }) => {
    const count = blocksOf({ version: model_version, divisor: width_divisor, minWidth: min_width }).length;
    return {
      conv1: map,
      ...Object.fromEntries(Array.from({ length: count }, (_, i) => [`block${i}`, map])),
      conv_final: map,
      avgpool: map,
      flatten: batch.tensor('float32', ['N', 'C']),
      dropout: batch.tensor('float32', ['N', 'C'], { description: 'flatten with dropout in training' }),
    };
  },
  show: ['model_version'],
  model: ({ params }) => {
    const scale = { version: params.model_version, divisor: params.width_divisor, minWidth: params.min_width };
    const norm = { eps: params.bn_epsilon, momentum: params.bn_momentum };
    const input = inputChannels(params.input);
    const first = width(32, scale);
    const last = width(1280, scale);
    const all = blocksOf(scale);
    const blocks = all.map((block, i): Stage => {
      const drop = (params.drop_connect_rate * i) / all.length;
      return { name: `block${i}`, layer: blockLayer(block, norm, params.use_se, drop) };
    });
    const named = (name: string): [string, { stage: string }] => [name, { stage: name }];
    return {
      prefix: '_feature_blocks',
      stages: [
        ...(input.layer ? [{ name: 'input', layer: input.layer }] : []),
        { name: 'conv1', layer: convNormSwish(conv('0', input.channels, first, 3, 2), first, norm) },
        ...blocks,
        { name: 'conv_final', layer: convNormSwish(conv('0', all.at(-1)!.to, last, 1), last, norm) },
        { name: 'avgpool', layer: { op: 'adaptive_avg_pool', size: [1, 1] } },
        { name: 'flatten', layer: { op: 'flatten' } },
        { name: 'dropout', layer: { op: 'dropout', p: VERSIONS[params.model_version][2] } },
      ],
      outputs: Object.fromEntries([
        named('conv1'),
        ...blocks.map(({ name }) => named(name)),
        ...['conv_final', 'avgpool', 'flatten', 'dropout'].map(named),
      ]),
    };
  },
});

/** Channels scaled and rounded to the divisor, by no more than a tenth down. */
function width(channels: number, { version, divisor, minWidth }: Scale): number {
  const [factor] = VERSIONS[version];
  const wanted = channels * factor;
  const rounded = Math.max(minWidth ?? divisor, Math.floor((wanted + divisor / 2) / divisor) * divisor);
  return rounded < 0.9 * wanted ? rounded + divisor : rounded;
}

function blocksOf(scale: Scale): Block[] {
  const [, depth] = VERSIONS[scale.version];
  return STAGES.flatMap(([kernel, repeats, from, to, expansion, stride]) => {
    const output = width(to, scale);
    return Array.from({ length: Math.ceil(depth * repeats) }, (_, i) => ({
      kernel,
      from: i === 0 ? width(from, scale) : output,
      to: output,
      expansion,
      stride: i === 0 ? stride : 1,
    }));
  });
}

const conv = (
  name: string,
  from: number,
  to: number,
  size: number,
  stride = 1,
  options: Partial<Conv2d> = {},
): Conv2d => ({
  op: 'conv2d',
  name,
  in: from,
  out: to,
  kernel: [size, size],
  stride: [stride, stride],
  padding: [(size - 1) / 2, (size - 1) / 2],
  bias: false,
  init: { kind: 'kaiming_normal', fan: 'out' },
  ...options,
});

interface Norm {
  readonly eps: number;
  readonly momentum: number;
}

const convNormSwish = (first: Conv2d, features: number, norm: Norm): Layer => ({
  op: 'sequence',
  layers: [first, { op: 'batch_norm', name: '1', features, ...norm }, { op: 'swish' }],
});

/** 1×1 expansion, depthwise convolution, squeeze-and-excitation, 1×1 projection. */
function blockLayer({ kernel, from, to, expansion, stride }: Block, norm: Norm, se: boolean, drop: number): Layer {
  const inner = from * expansion;
  const squeezed = Math.max(1, Math.floor(from / 4));
  const bn = (name: string, features: number): Layer => ({ op: 'batch_norm', name, features, ...norm });
  const gate: Layer = {
    op: 'gate',
    gate: {
      op: 'sequence',
      layers: [
        { op: 'adaptive_avg_pool', size: [1, 1] },
        conv('se_reduce', inner, squeezed, 1, 1, { bias: true }),
        { op: 'swish' },
        conv('se_expand', squeezed, inner, 1, 1, { bias: true }),
        { op: 'sigmoid' },
      ],
    },
  };
  const main: Layer = {
    op: 'sequence',
    layers: [
      ...(expansion === 1 ? [] : [conv('expand_conv', from, inner, 1), bn('bn0', inner), { op: 'swish' } as const]),
      conv('depthwise_conv', inner, inner, kernel, stride, { groups: inner }),
      bn('bn1', inner),
      { op: 'swish' },
      ...(se ? [gate] : []),
      conv('project_conv', inner, to, 1),
      bn('bn2', to),
    ],
  };
  if (stride !== 1 || from !== to) return main;
  return { op: 'residual', main, activation: 'none', ...(drop > 0 ? { dropPath: drop } : {}) };
}
