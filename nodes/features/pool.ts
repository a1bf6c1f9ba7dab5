import type { Layer } from '../../graph/model/layers.ts';
import { batch, defineNode, T } from '../../runtime/node.ts';

const pair = (description: string, minimum: number) =>
  T.Optional(T.Tuple([T.Integer({ minimum }), T.Integer({ minimum })], { description }));

type Pool = 'avg_pool' | 'max_pool' | 'adaptive_avg_pool' | 'adaptive_max_pool' | 'identity';

/**
 * Pools feature maps before a linear classifier, for evaluating several layers of a trunk (VISSL's
 * LINEAR_EVAL_FEAT_POOL_OPS_MAP). Average pooling counts the padding as zeros; adaptive pooling has PyTorch's bins.
 */
export default defineNode({
  type: 'features/pool',
  description: 'Pools feature maps to a smaller size, and flattens them when asked.',
  role: 'model',
  params: T.Object({
    op: T.Union(
      (['avg_pool', 'max_pool', 'adaptive_avg_pool', 'adaptive_max_pool', 'identity'] as const).map((op) =>
        T.Literal(op),
      ),
      { description: 'what to do with the map' },
    ),
    kernel: pair('rows, columns of the window; avg_pool and max_pool need it', 1),
    stride: pair('step of the window; default: the kernel', 1),
    padding: pair('zeros around the map; default 0', 0),
    size: pair('rows, columns of the result; adaptive pooling needs it', 1),
    flatten: T.Boolean({ default: false, description: 'give [N, values], channels first as PyTorch' }),
  }),
  inputs: { features: batch.tensor('float32', ['N', 'H', 'W', 'C']) },
  outputs: { output: batch.tensor('float32', undefined, { description: 'the pooled map, or its values' }) },
  show: ['op', 'kernel', 'size'],
  model: ({ params, problem }) => {
    const missing = neededBy(params.op).find((key) => params[key] === undefined);
    if (missing) {
      problem({ at: missing, message: `${params.op} needs "${missing}"`, cure: `Add "${missing}": [rows, columns]` });
      return undefined;
    }
    const pool = layerOf(params);
    return {
      stages: [
        { name: 'pool', layer: pool },
        { name: 'output', layer: { op: params.flatten ? 'flatten' : 'identity' } },
      ],
      outputs: { output: { stage: 'output' } },
    };
  },
});

const neededBy = (op: Pool): readonly ('kernel' | 'size')[] => {
  if (op === 'identity') return [];
  return op === 'avg_pool' || op === 'max_pool' ? ['kernel'] : ['size'];
};

type Pair = readonly [number, number];

interface PoolParams {
  readonly op: Pool;
  readonly kernel?: Pair;
  readonly stride?: Pair;
  readonly padding?: Pair;
  readonly size?: Pair;
}

function layerOf({ op, kernel, stride, padding, size }: PoolParams): Layer {
  if (op === 'identity') return { op };
  if (op === 'adaptive_avg_pool' || op === 'adaptive_max_pool') return { op, size: size! };
  return { op, kernel: kernel!, ...(stride ? { stride } : {}), ...(padding ? { padding } : {}) };
}
