import type { Conv2d, Layer, Residual, Stage } from '../../graph/model/layers.ts';
import { batch, defineNode, T } from '../../runtime/node.ts';
import { inputChannels } from './input-type.ts';
import { halfEven, REGNETS, type RegnetStage, regnetStages } from './regnet-stages.ts';

const FREE = ['depth', 'w_0', 'w_a', 'w_m', 'group_width'] as const;
const STAGES = ['depths', 'widths', 'group_widths', 'bottleneck_multipliers', 'strides'] as const;

const map = (description: string) => batch.tensor('float32', ['N', 'H', 'W', 'C'], { description });
const perStage = (description: string) => T.Optional(T.Array(T.Number({ exclusiveMinimum: 0 }), { description }));

/**
 * RegNet (Radosavovic et al. 2020, arXiv:2003.13678): a published model by `name`, one of the design space by depth, w_0,
 * w_a, w_m and group_width, or four stages spelled out (AnyNet: depths, widths, group_widths, bottleneck_multipliers,
 * strides). State-dict names of ClassyVision's RegNet under `_feature_blocks`; features res2 … res5 by stage.
 */
export default defineNode({
  type: 'trunk/regnet',
  description: 'RegNetX, RegNetY and AnyNet (arXiv:2003.13678) with features of every stage.',
  aliases: ['regnet', 'anynet'],
  role: 'model',
  params: T.Object({
    name: T.Optional(
      T.Union(
        Object.keys(REGNETS).map((name) => T.Literal(name)),
        { description: 'a published model; absent: the numbers below' },
      ),
    ),
    depth: T.Optional(T.Integer({ minimum: 1, description: 'blocks' })),
    w_0: T.Optional(T.Number({ exclusiveMinimum: 0, description: 'initial width' })),
    w_a: T.Optional(T.Number({ minimum: 0, description: 'growth of the width per block' })),
    w_m: T.Optional(T.Number({ exclusiveMinimum: 1, description: 'factor between two stages' })),
    group_width: T.Optional(T.Integer({ minimum: 1, description: 'channels of a group' })),
    bottleneck_multiplier: T.Number({ default: 1, exclusiveMinimum: 0, description: 'inner width by width' }),
    depths: perStage('AnyNet: blocks of each of four stages'),
    widths: perStage('AnyNet: width of each stage'),
    group_widths: perStage('AnyNet: channels of a group in each stage'),
    bottleneck_multipliers: perStage('AnyNet: inner width by width in each stage'),
    strides: perStage('AnyNet: stride of each stage'),
    stem_width: T.Integer({ default: 32, minimum: 1, description: 'channels of the stem, 3×3 with stride 2' }),
    use_se: T.Optional(T.Boolean({ description: 'squeeze-and-excitation; default: all but regnet_x' })),
    se_ratio: T.Number({
      default: 0.25,
      exclusiveMinimum: 0,
      description: 'its width by the width of the block input',
    }),
    activation: T.Union([T.Literal('relu'), T.Literal('swish')], { default: 'relu', description: 'activation' }),
    bn_epsilon: T.Number({ default: 1e-5, exclusiveMinimum: 0, description: 'added to the variance' }),
    bn_momentum: T.Number({ default: 0.1, description: 'share of a new batch in the running statistics' }),
    input: T.Union([T.Literal('rgb'), T.Literal('bgr')], { default: 'rgb', description: 'order of the channels' }),
  }),
  inputs: {
    images: batch.image(['N', 'H', 'W', 3], { list: true, description: 'one group per size; run one by one' }),
  },
  outputs: {
    conv1: map('after the stem'),
    res2: map('after the first stage'),
    res3: map('after the second stage'),
    res4: map('after the third stage'),
    res5: map('after the fourth stage'),
    avgpool: map('res5 averaged over rows and columns, [N, 1, 1, C]'),
    flatten: batch.tensor('float32', ['N', 'C'], { description: 'avgpool without its single row and column' }),
  },
  show: ['name', 'depth', 'depths', 'widths'],
  model: ({ params, problem }) => {
    const stages = stagesOf(params);
    if (typeof stages === 'string') {
      const cure = `Give name, or ${FREE.join(', ')}, or ${STAGES.join(', ')}`;
      problem({ message: stages, cure });
      return undefined;
    }
    const style: BlockStyle = {
      norm: { eps: params.bn_epsilon, momentum: params.bn_momentum },
      activation: params.activation,
      seRatio: (params.use_se ?? !params.name?.startsWith('regnet_x')) ? params.se_ratio : 0,
    };
    const input = inputChannels(params.input);
    const blocks = stages.map((stage, i): Stage => {
      const from = i === 0 ? params.stem_width : stages[i - 1].width;
      const layers = Array.from({ length: stage.depth }, (_, j) =>
        block(style, stage, j === 0 ? from : stage.width, i, j),
      );
      return { name: `res${i + 2}`, layer: { op: 'sequence', layers } };
    });
    return {
      prefix: '_feature_blocks',
      stages: [
        ...(input.layer ? [{ name: 'input', layer: input.layer }] : []),
        { name: 'conv1', layer: stem(style, input.channels, params.stem_width) },
        ...blocks,
        { name: 'avgpool', layer: { op: 'adaptive_avg_pool', size: [1, 1] } },
        { name: 'flatten', layer: { op: 'flatten' } },
      ],
      outputs: Object.fromEntries(
        ['conv1', 'res2', 'res3', 'res4', 'res5', 'avgpool', 'flatten'].map((stage) => [stage, { stage }]),
      ),
    };
  },
});

interface Chosen extends Partial<Record<(typeof FREE)[number], number>> {
  readonly name?: string;
  readonly bottleneck_multiplier: number;
  readonly depths?: readonly number[];
  readonly widths?: readonly number[];
  readonly group_widths?: readonly number[];
  readonly bottleneck_multipliers?: readonly number[];
  readonly strides?: readonly number[];
}

/** The four stages, or what is wrong. */
function stagesOf(params: Chosen): RegnetStage[] | string {
  const given = (keys: readonly (keyof Chosen)[]) => keys.filter((key) => params[key] !== undefined);
  const ways = [params.name ? 1 : 0, given(FREE).length > 0 ? 1 : 0, given(STAGES).length > 0 ? 1 : 0];
  if (ways.reduce((a, b) => a + b) !== 1) return 'it takes one of three descriptions of the stages';
  if (given(STAGES).length > 0) return spelledOut(params);
  const missing = params.name ? undefined : FREE.find((key) => params[key] === undefined);
  if (missing) return `${missing} is missing`;
  const chosen = params.name ? REGNETS[params.name] : (params as Required<Pick<Chosen, (typeof FREE)[number]>>);
  const stages = regnetStages(chosen, params.bottleneck_multiplier);
  return stages.length === 4 ? stages : `these numbers give ${stages.length} stages, and a trunk has four`;
}

function spelledOut(params: Chosen): RegnetStage[] | string {
  const wrong = STAGES.find((key) => params[key]?.length !== 4);
  if (wrong) return `${wrong} needs a number for each of the four stages`;
  const { depths, widths, group_widths, bottleneck_multipliers, strides } = params as Required<Chosen>;
  return widths.map((width, i) => ({
    width,
    depth: depths[i],
    groupWidth: group_widths[i],
    bottleneck: bottleneck_multipliers[i],
    stride: strides[i],
  }));
}

interface BlockStyle {
  readonly norm: { readonly eps: number; readonly momentum: number };
  readonly activation: 'relu' | 'swish';
  /** 0: no squeeze-and-excitation */
  readonly seRatio: number;
}

const conv = (name: string, from: number, to: number, size: number, options: Partial<Conv2d> = {}): Conv2d => ({
  op: 'conv2d',
  name,
  in: from,
  out: to,
  kernel: [size, size],
  padding: [(size - 1) / 2, (size - 1) / 2],
  bias: false,
  init: { kind: 'kaiming_normal', fan: 'out' },
  ...options,
});

const norm = (style: BlockStyle, name: string, features: number): Layer => ({
  op: 'batch_norm',
  name,
  features,
  ...style.norm,
});

function stem(style: BlockStyle, from: number, to: number): Layer {
  const layers: Layer[] = [conv('0', from, to, 3, { stride: [2, 2] }), norm(style, '1', to), { op: style.activation }];
  return { op: 'sequence', name: 'stem', layers };
}

/** 1×1, grouped 3×3 with the stride, squeeze-and-excitation, 1×1. */
function block(style: BlockStyle, stage: RegnetStage, from: number, stageIndex: number, index: number): Layer {
  const { width, groupWidth, bottleneck } = stage;
  const stride = index === 0 ? stage.stride : 1;
  const inner = halfEven(width * bottleneck);
  const act: Layer = { op: style.activation };
  const strided = { stride: [stride, stride] as const };
  const main: Layer[] = [
    { op: 'sequence', name: 'a', layers: [conv('0', from, inner, 1), norm(style, '1', inner), act] },
    {
      op: 'sequence',
      name: 'b',
      layers: [
        conv('0', inner, inner, 3, { ...strided, groups: Math.floor(inner / groupWidth) }),
        norm(style, '1', inner),
        act,
      ],
    },
    ...(style.seRatio > 0 ? [squeeze(style, inner, halfEven(style.seRatio * from))] : []),
    conv('c', inner, width, 1),
    norm(style, 'final_bn', width),
  ];
  const shortcut: Layer = {
    op: 'sequence',
    layers: [conv('proj', from, width, 1, strided), norm(style, 'bn', width)],
  };
  const name = `block${stageIndex + 1}-${index}`;
  const residual: Residual = {
    op: 'residual',
    main: { op: 'sequence', name: 'f', layers: main },
    ...(from !== width || stride !== 1 ? { shortcut } : {}),
    activation: style.activation === 'relu' ? 'relu' : 'none',
  };
  if (style.activation === 'relu') return { ...residual, name };
  return { op: 'sequence', name, layers: [residual, act] };
}

function squeeze(style: BlockStyle, channels: number, inner: number): Layer {
  const layers: Layer[] = [
    conv('0', channels, inner, 1, { bias: true }),
    { op: style.activation },
    conv('2', inner, channels, 1, { bias: true }),
    { op: 'sigmoid' },
  ];
  return {
    op: 'gate',
    name: 'se',
    gate: {
      op: 'sequence',
      layers: [
        { op: 'adaptive_avg_pool', size: [1, 1] },
        { op: 'sequence', name: 'excitation', layers },
      ],
    },
  };
}
