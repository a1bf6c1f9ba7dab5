import type { Layer } from '../../graph/model/layers.ts';
import { batch, defineNode, T } from '../../runtime/node.ts';
import { checkWidth, featuresInput } from './features-input.ts';

const PRESETS = [
  'simclr',
  'moco',
  'barlow_twins',
  'byol',
  'byol_prediction',
  'simsiam',
  'simsiam_prediction',
  'nnclr',
  'nnclr_prediction',
  'swav',
  'msn',
  'tico',
  'vicreg',
  'dino',
] as const;

type Preset = (typeof PRESETS)[number];

/** What follows a linear layer, which has a bias where no batch norm follows. */
interface Behind {
  /** plain: without learned scale and offset */
  readonly norm?: 'batch_norm' | 'plain';
  readonly activation?: 'relu' | 'gelu';
}

const BN_RELU: Behind = { norm: 'batch_norm', activation: 'relu' };
const BN_GELU: Behind = { norm: 'batch_norm', activation: 'gelu' };

const two: readonly Behind[] = [BN_RELU, {}];
const three: readonly Behind[] = [BN_RELU, BN_RELU, {}];

/**
 * Projection and prediction heads of the methods in lightly, under its names (layers.0.weight). Linear layers have a bias
 * where no batch norm follows. `dino` ends in l2 normalisation and a weight-normalised linear layer.
 */
export default defineNode({
  type: 'head/projection',
  description: 'The projection or prediction head of a method, as in lightly.',
  aliases: [
    'SimCLRProjectionHead',
    'MoCoProjectionHead',
    'BarlowTwinsProjectionHead',
    'BYOLProjectionHead',
    'BYOLPredictionHead',
    'SimSiamProjectionHead',
    'SimSiamPredictionHead',
    'NNCLRProjectionHead',
    'NNCLRPredictionHead',
    'SwaVProjectionHead',
    'MSNProjectionHead',
    'TiCoProjectionHead',
    'VICRegProjectionHead',
    'DINOProjectionHead',
  ],
  role: 'model',
  head: true,
  params: T.Object({
    preset: T.Union(
      PRESETS.map((preset) => T.Literal(preset)),
      { description: 'the method' },
    ),
    input_dim: T.Integer({ minimum: 1, description: 'width of the features' }),
    hidden_dim: T.Integer({ minimum: 1, description: 'width between layers' }),
    output_dim: T.Integer({ minimum: 1, description: 'width of the output' }),
    num_layers: T.Optional(T.Integer({ minimum: 2, description: 'linear layers of simclr, moco and vicreg' })),
    batch_norm: T.Optional(
      T.Boolean({ description: 'batch norm in simclr (default true), moco and dino (default false)' }),
    ),
    bottleneck_dim: T.Integer({ default: 256, minimum: 1, description: 'width before the last layer of dino' }),
  }),
  inputs: { features: featuresInput },
  outputs: { output: batch.tensor('float32', ['N', 'D'], { description: 'the projection' }) },
  show: ['preset', 'output_dim'],
  model: ({ params, inputs, problem }) => {
    const behind = layersBehind(params.preset, params.num_layers, params.batch_norm);
    const dino = params.preset === 'dino';
    const last = dino ? params.bottleneck_dim : params.output_dim;
    const dims = [params.input_dim, ...behind.slice(1).map(() => params.hidden_dim), last];
    if (!checkWidth(inputs.features?.[0], dims, problem)) return undefined;
    const layers: Layer[] = [];
    const add = (layer: Layer) => layers.push({ ...layer, name: String(layers.length) });
    behind.forEach(({ norm, activation }, i) => {
      const out = dims[i + 1];
      const init = dino
        ? ({ init: { kind: 'normal', std: 0.02 }, biasInit: { kind: 'constant', value: 0 } } as const)
        : {};
      add({ op: 'linear', in: dims[i], out, bias: norm === undefined, ...init });
      if (norm) add({ op: 'batch_norm', features: out, affine: norm !== 'plain' });
      if (activation) add({ op: activation });
    });
    const stages = [
      { name: 'flatten', layer: { op: 'flatten' } as const },
      { name: 'layers', layer: { op: 'sequence', layers } as const },
    ];
    if (!dino) return { stages, outputs: { output: { stage: 'layers' } } };
    const final: Layer = { op: 'linear', in: last, out: params.output_dim, bias: false, weightNorm: true };
    return {
      stages: [...stages, { name: 'normalize', layer: { op: 'l2_normalize' } }, { name: 'last_layer', layer: final }],
      outputs: { output: { stage: 'last_layer' } },
    };
  },
});

function layersBehind(preset: Preset, layers: number | undefined, norm: boolean | undefined): readonly Behind[] {
  switch (preset) {
    case 'simclr':
      return repeated(layers ?? 2, (norm ?? true) ? BN_RELU : { activation: 'relu' });
    case 'moco':
      return repeated(layers ?? 2, norm ? BN_RELU : { activation: 'relu' });
    case 'vicreg':
      return [...Array.from({ length: (layers ?? 3) - 1 }, () => BN_RELU), {}];
    case 'barlow_twins':
      return three;
    case 'simsiam':
      return [BN_RELU, BN_RELU, { norm: 'plain' }];
    case 'nnclr':
      return [BN_RELU, BN_RELU, { norm: 'batch_norm' }];
    case 'msn':
      return [BN_GELU, BN_GELU, {}];
    case 'dino': {
      const inner: Behind = norm ? BN_GELU : { activation: 'gelu' };
      return [inner, inner, {}];
    }
    default:
      return two;
  }
}

/** The last layer has the norm of the others, and no activation. */
function repeated(layers: number, behind: Behind): readonly Behind[] {
  const { activation: _, ...last } = behind;
  return [...Array.from({ length: layers - 1 }, () => behind), last];
}
