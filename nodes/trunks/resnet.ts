import type { Init, Layer, ModelSpec, Stage } from '../../graph/model/layers.ts';
import { batch, defineNode, T } from '../../runtime/node.ts';
import { inputChannels, inputType } from './input-type.ts';
import { type BlockStyle, conv, residualLayer } from './resnet-blocks.ts';

/** blocks per layer, by depth */
const BLOCKS: Readonly<Record<number, readonly [number, number, number, number]>> = {
  18: [2, 2, 2, 2],
  34: [3, 4, 6, 3],
  50: [3, 4, 6, 3],
  101: [3, 4, 23, 3],
  152: [3, 8, 36, 3],
  200: [3, 24, 36, 3],
};
const DEPTHS = [18, 34, 50, 101, 152, 200] as const;

const map = (description: string) => batch.tensor('float32', ['N', 'H', 'W', 'C'], { description });

/**
 * ResNet (He et al. 2016, arXiv:1512.03385) and ResNeXt (Xie et al. 2017, arXiv:1611.05431) as VISSL builds them: the
 * stride of a bottleneck is on its 3×3 convolution, and the state-dict names are torchvision's under `_feature_blocks`.
 * With a small stem (3×3, stride 1, no max pooling) res1 is conv1.
 *
 * Differences from the reference code: VISSL means to draw He's fan-out normal and to start each block's last norm at 0
 * when asked, but builds its layers after it has done so; its weights are PyTorch's defaults. Here the default is what
 * it does, `init: "he_fan_out"` is what it means, and `zero_init_residual` works. Features come by name, in any order.
 */
export default defineNode({
  type: 'trunk/resnet',
  description: 'ResNet and ResNeXt (arXiv:1512.03385, arXiv:1611.05431) with features of every stage.',
  aliases: ['resnet', 'resnext'],
  role: 'model',
  params: T.Object({
    depth: T.Union(
      DEPTHS.map((depth) => T.Literal(depth)),
      { default: 50, description: 'layers; 18 and 34 have basic blocks, the others bottlenecks' },
    ),
    width_multiplier: T.Number({ default: 1, exclusiveMinimum: 0, description: 'factor on all channels' }),
    groups: T.Integer({ default: 1, minimum: 1, description: 'groups of the 3×3 convolutions (ResNeXt)' }),
    width_per_group: T.Integer({ default: 64, minimum: 1, description: 'channels of a group in the first layer' }),
    norm: T.Union([T.Literal('batch_norm'), T.Literal('layer_norm'), T.Literal('group_norm')], {
      default: 'batch_norm',
      description: 'normalisation; layer_norm is over a whole map, group_norm has 32 groups',
    }),
    zero_init_residual: T.Boolean({ default: false, description: "start each block's last norm at weight 0" }),
    layer4_stride: T.Union([T.Literal(1), T.Literal(2)], { default: 2, description: 'stride of the last layer' }),
    stem: T.Union([T.Literal('imagenet'), T.Literal('small')], {
      default: 'imagenet',
      description: 'imagenet: 7×7 stride 2 and max pooling; small: 3×3 stride 1, for images of about 32×32',
    }),
    input: inputType,
    init: T.Union([T.Literal('pytorch'), T.Literal('he_fan_out')], {
      default: 'pytorch',
      description: "initial convolution weights: PyTorch's uniform, or torchvision's He normal by fan-out",
    }),
  }),
  inputs: {
    images: batch.image(['N', 'H', 'W', 3], { list: true, description: 'one group per size; run one by one' }),
  },
  outputs: {
    conv1: map('after the first convolution, norm and ReLU'),
    res1: map('after the max pooling'),
    res2: map('after layer1'),
    res3: map('after layer2'),
    res4: map('after layer3'),
    res5: map('after layer4'),
    res5avg: map('res5 averaged over rows and columns, [N, 1, 1, C]'),
    flatten: batch.tensor('float32', ['N', 'C'], { description: 'res5avg without its single row and column' }),
  },
  show: ['depth', 'width_multiplier', 'groups', 'width_per_group', 'stem'],
  model: ({ params, problem }): ModelSpec | undefined => {
    const { depth, groups, width_per_group, width_multiplier, norm, stem } = params;
    const expansion = depth < 50 ? 1 : 4;
    if (expansion === 1 && (groups !== 1 || width_per_group !== 64)) {
      problem({
        at: groups === 1 ? 'width_per_group' : 'groups',
        message: `basic blocks (depth ${depth}) have one group of width 64`,
        cure: 'Take a depth of 50 or more for a ResNeXt',
      });
      return undefined;
    }
    const base = 64 * width_multiplier;
    if (!Number.isInteger(base)) {
      const message = `width_multiplier ${width_multiplier} gives ${base} channels`;
      problem({ at: 'width_multiplier', message, cure: 'Take a multiple of 1/64' });
      return undefined;
    }
    const init: Init | undefined = params.init === 'he_fan_out' ? { kind: 'kaiming_normal', fan: 'out' } : undefined;
    const style: BlockStyle = {
      expansion,
      groups,
      widthPerGroup: width_per_group,
      norm: NORMS[norm],
      ...(init ? { init } : {}),
      zeroInitResidual: params.zero_init_residual,
    };
    const input = inputChannels(params.input);
    const layers = BLOCKS[depth].map((count, i): Stage => {
      const planes = base * 2 ** i;
      const from = i === 0 ? base : (planes / 2) * expansion;
      const stride = i === 0 ? 1 : i === 3 ? params.layer4_stride : 2;
      return { name: `layer${i + 1}`, layer: residualLayer(style, from, planes, count, stride) };
    });
    const small = stem === 'small';
    const first = conv(undefined, [input.channels, base], small ? 3 : 7, { stride: small ? 1 : 2, init });
    return {
      prefix: '_feature_blocks',
      stages: [
        ...(input.layer ? [{ name: 'input', layer: input.layer }] : []),
        { name: 'conv1', layer: first },
        { name: 'bn1', layer: NORMS[norm](undefined, base) },
        { name: 'conv1_relu', layer: { op: 'relu' } },
        ...(small ? [] : [{ name: 'maxpool', layer: MAX_POOL }]),
        ...layers,
        { name: 'avgpool', layer: { op: 'adaptive_avg_pool', size: [1, 1] } },
        { name: 'flatten', layer: { op: 'flatten' } },
      ],
      outputs: {
        conv1: { stage: 'conv1_relu' },
        res1: { stage: small ? 'conv1_relu' : 'maxpool' },
        res2: { stage: 'layer1' },
        res3: { stage: 'layer2' },
        res4: { stage: 'layer3' },
        res5: { stage: 'layer4' },
        res5avg: { stage: 'avgpool' },
        flatten: { stage: 'flatten' },
      },
    };
  },
});

const MAX_POOL: Layer = { op: 'max_pool', kernel: [3, 3], stride: [2, 2], padding: [1, 1] };

const NORMS = {
  batch_norm: (name: string | undefined, features: number, weight = 1): Layer => ({
    op: 'batch_norm',
    name,
    features,
    weight,
  }),
  layer_norm: (name: string | undefined, features: number, weight = 1): Layer => ({
    op: 'layer_norm_2d',
    name,
    features,
    weight,
  }),
  group_norm: (name: string | undefined, features: number, weight = 1): Layer => ({
    op: 'layer_norm_2d',
    name,
    features,
    weight,
    groups: 32,
  }),
} as const;
