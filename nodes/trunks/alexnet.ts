import type { Conv2d, Layer, LocalResponseNorm, Stage } from '../../graph/model/layers.ts';
import { batch, defineNode, T } from '../../runtime/node.ts';

type Variant = 'bvlc' | 'colorization' | 'deepcluster' | 'jigsaw' | 'rotnet';

interface Convolution {
  readonly channels: number;
  readonly size: number;
  readonly stride?: number;
  readonly padding?: number;
  readonly groups?: number;
  readonly norm: boolean;
}

interface Architecture {
  /** what the first convolution sees of the images */
  readonly front: 'rgb' | 'first_channel' | 'sobel';
  readonly convolutions: readonly [Convolution, Convolution, Convolution, Convolution, Convolution];
  /** local response norm around the first two poolings */
  readonly response?: 'before' | 'behind';
}

const inner = (channels: number, norm: boolean, groups = 1): Convolution => ({
  channels,
  size: 3,
  padding: 1,
  groups,
  norm,
});

const ARCHITECTURES: Readonly<Record<Variant, Architecture>> = {
  bvlc: {
    front: 'rgb',
    response: 'before',
    convolutions: [
      { channels: 96, size: 11, stride: 4, norm: false },
      { channels: 256, size: 5, padding: 2, groups: 2, norm: false },
      inner(384, false),
      inner(384, false, 2),
      inner(256, false, 2),
    ],
  },
  colorization: {
    front: 'first_channel',
    convolutions: [
      { channels: 96, size: 11, stride: 4, norm: true },
      { channels: 256, size: 5, padding: 2, groups: 2, norm: true },
      inner(384, true),
      inner(384, true, 2),
      inner(256, true, 2),
    ],
  },
  deepcluster: {
    front: 'sobel',
    convolutions: [
      { channels: 96, size: 11, stride: 4, padding: 2, norm: true },
      { channels: 256, size: 5, padding: 2, norm: true },
      inner(384, true),
      inner(384, true),
      inner(256, true),
    ],
  },
  jigsaw: {
    front: 'rgb',
    response: 'behind',
    convolutions: [
      { channels: 96, size: 11, stride: 2, norm: false },
      { channels: 256, size: 5, padding: 2, groups: 2, norm: false },
      inner(384, true),
      inner(384, true, 2),
      inner(256, true, 2),
    ],
  },
  rotnet: {
    front: 'rgb',
    convolutions: [
      { channels: 64, size: 11, stride: 4, padding: 2, norm: true },
      { channels: 192, size: 5, padding: 2, norm: true },
      inner(384, true),
      inner(256, true),
      inner(256, true),
    ],
  },
};

const FEATURES = ['conv1', 'pool1', 'conv2', 'pool2', 'conv3', 'conv4', 'conv5', 'pool5', 'flatten'] as const;

const map = batch.tensor('float32', ['N', 'H', 'W', 'C']);

/**
 * The AlexNets (Krizhevsky et al. 2012) of five methods, as VISSL has them: BVLC's, Colorization (L of Lab), DeepCluster
 * (a fixed grey and Sobel front end), Jigsaw and RotNet. State-dict names of VISSL by position, `_feature_blocks.0.0`.
 * Difference from the reference code: `flatten` is flat; there it keeps the shape of pool5.
 */
export default defineNode({
  type: 'trunk/alexnet',
  description: 'The AlexNets of BVLC, Colorization, DeepCluster, Jigsaw and RotNet.',
  aliases: ['alexnet_bvlc', 'alexnet_colorization', 'alexnet_deepcluster', 'alexnet_jigsaw', 'alexnet_rotnet'],
  role: 'model',
  params: T.Object({
    variant: T.Union(
      (Object.keys(ARCHITECTURES) as Variant[]).map((variant) => T.Literal(variant)),
      { description: 'whose AlexNet' },
    ),
  }),
  inputs: {
    images: batch.image(['N', 'H', 'W', 3], { list: true, description: 'one group per size; run one by one' }),
  },
  outputs: {
    ...Object.fromEntries(FEATURES.slice(0, -1).map((name) => [name, map])),
    flatten: batch.tensor('float32', ['N', 'D'], { description: 'pool5, channels first' }),
  },
  show: ['variant'],
  model: ({ params }) => {
    const { front, convolutions, response } = ARCHITECTURES[params.variant];
    const [c1, c2, c3, c4, c5] = convolutions;
    const channels = { rgb: 3, first_channel: 1, sobel: 2 }[front];
    const layers: readonly Layer[] = [
      convolution(c1, channels),
      pool(response),
      convolution(c2, c1.channels),
      pool(response),
      convolution(c3, c2.channels),
      convolution(c4, c3.channels),
      convolution(c5, c4.channels),
      pool(undefined),
      { op: 'flatten' },
    ];
    const stages = layers.map((layer, i): Stage => ({ name: `_feature_blocks.${i}`, layer }));
    return {
      stages: [...frontEnd(front), ...stages],
      outputs: Object.fromEntries(FEATURES.map((name, i) => [name, { stage: `_feature_blocks.${i}` }])),
    };
  },
});

function convolution({ channels, size, stride = 1, padding = 0, groups = 1, norm }: Convolution, from: number): Layer {
  const conv: Conv2d = {
    op: 'conv2d',
    name: '0',
    in: from,
    out: channels,
    kernel: [size, size],
    stride: [stride, stride],
    padding: [padding, padding],
    groups,
  };
  const layers: Layer[] = norm
    ? [conv, { op: 'batch_norm', name: '1', features: channels }, { op: 'relu' }]
    : [conv, { op: 'relu' }];
  return { op: 'sequence', layers };
}

const RESPONSE: LocalResponseNorm = { op: 'local_response_norm', size: 5, alpha: 1e-4, beta: 0.75, k: 1 };

function pool(response: 'before' | 'behind' | undefined): Layer {
  const max: Layer = { op: 'max_pool', kernel: [3, 3], stride: [2, 2] };
  if (response === 'before') return { op: 'sequence', layers: [RESPONSE, max] };
  return response === 'behind' ? { op: 'sequence', layers: [max, RESPONSE] } : max;
}

function frontEnd(front: Architecture['front']): Stage[] {
  if (front === 'rgb') return [];
  if (front === 'first_channel') return [{ name: 'input', layer: { op: 'select_channels', channels: [0] } }];
  const fixed = (name: string, from: number, to: number, size: number, values: readonly number[]): Conv2d => ({
    op: 'conv2d',
    name,
    in: from,
    out: to,
    kernel: [size, size],
    padding: [(size - 1) / 2, (size - 1) / 2],
    init: { kind: 'values', values },
    biasInit: { kind: 'constant', value: 0 },
    trainable: false,
  });
  const sobel = [1, 0, -1, 2, 0, -2, 1, 0, -1, 1, 2, 1, 0, 0, 0, -1, -2, -1];
  const layers = [fixed('0', 3, 1, 1, [1 / 3, 1 / 3, 1 / 3]), fixed('1', 1, 2, 3, sobel)];
  return [{ name: 'sobel', layer: { op: 'sequence', layers } }];
}
