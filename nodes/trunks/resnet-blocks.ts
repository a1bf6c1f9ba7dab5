/** The residual blocks of ResNet and ResNeXt as layers, under torchvision's names. */
import type { Conv2d, Init, Layer, Pair, Residual } from '../../graph/model/layers.ts';

export interface BlockStyle {
  /** by the inner width of a block; 1 for basic blocks, 4 for bottlenecks */
  readonly expansion: 1 | 4;
  readonly groups: number;
  readonly widthPerGroup: number;
  readonly norm: (name: string | undefined, features: number, weight?: number) => Layer;
  readonly init?: Init;
  /** the last normalisation of each block starts at weight 0 */
  readonly zeroInitResidual: boolean;
}

export function conv(
  name: string | undefined,
  channels: Pair,
  size: number,
  options: Pick<Conv2d, 'groups' | 'init'> & { readonly stride?: number } = {},
): Conv2d {
  const { stride = 1, groups, init } = options;
  const pad = (size - 1) / 2;
  return {
    op: 'conv2d',
    ...(name === undefined ? {} : { name }),
    in: channels[0],
    out: channels[1],
    kernel: [size, size],
    stride: [stride, stride],
    padding: [pad, pad],
    bias: false,
    ...(groups === undefined ? {} : { groups }),
    ...(init === undefined ? {} : { init }),
  };
}

/** `count` blocks of inner width `planes`; the first has the stride and changes the width. */
export function residualLayer(style: BlockStyle, input: number, planes: number, count: number, stride: number): Layer {
  const output = planes * style.expansion;
  const blocks = Array.from({ length: count }, (_, i): Residual => {
    const from = i === 0 ? input : output;
    const step = i === 0 ? stride : 1;
    return {
      op: 'residual',
      name: String(i),
      main: style.expansion === 1 ? basic(style, from, planes, step) : bottleneck(style, from, planes, step),
      ...(step !== 1 || from !== output ? { shortcut: downsample(style, from, output, step) } : {}),
    };
  });
  return { op: 'sequence', layers: blocks };
}

const relu: Layer = { op: 'relu' };

function basic({ norm, init, zeroInitResidual }: BlockStyle, input: number, planes: number, stride: number): Layer {
  return {
    op: 'sequence',
    layers: [
      conv('conv1', [input, planes], 3, { stride, init }),
      norm('bn1', planes),
      relu,
      conv('conv2', [planes, planes], 3, { init }),
      norm('bn2', planes, zeroInitResidual ? 0 : 1),
    ],
  };
}

/** 1×1, 3×3 with the stride, 1×1. */
function bottleneck(style: BlockStyle, input: number, planes: number, stride: number): Layer {
  const { norm, init, groups, widthPerGroup } = style;
  const width = Math.floor((planes * widthPerGroup) / 64) * groups;
  return {
    op: 'sequence',
    layers: [
      conv('conv1', [input, width], 1, { init }),
      norm('bn1', width),
      relu,
      conv('conv2', [width, width], 3, { stride, groups, init }),
      norm('bn2', width),
      relu,
      conv('conv3', [width, planes * style.expansion], 1, { init }),
      norm('bn3', planes * style.expansion, style.zeroInitResidual ? 0 : 1),
    ],
  };
}

function downsample({ norm, init }: BlockStyle, input: number, output: number, stride: number): Layer {
  return {
    op: 'sequence',
    name: 'downsample',
    layers: [conv('0', [input, output], 1, { stride, init }), norm('1', output)],
  };
}
