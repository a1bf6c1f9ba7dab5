/**
 * Whether the backend has the kernels of a plan, gradients included, asked before anything is loaded. Layers are tried:
 * one of each kind and variant, small, forward and backward. Other nodes are held against the kernels that their role
 * needs and those that their type names in `kernels`.
 */
import type { Layer, ModelSpec } from '../../graph/model/layers.ts';
import { createRandom } from '../random.ts';
import type { TensorBackend } from '../tensor/types.ts';
import type { GraphNode } from './edges.ts';
import { modelSpec } from './models.ts';
import type { Plan } from './plan.ts';
import { usedNodes } from './used-nodes.ts';

export interface MissingKernel {
  readonly node: string;
  readonly kernel: string;
}

/** What computations, losses, targets, meters and optimizers are made of. */
const USUAL = `Abs Add ArgMax BatchMatMul Cast Concat Equal Exp GatherV2 Greater Identity Log Max Maximum Minimum
  Multiply Neg OneHot Pow RealDiv Reshape Rsqrt Select Slice Sqrt Square Sub Sum Tile Transpose`.split(/\s+/);

const COMPUTING: ReadonlySet<string> = new Set(['compute', 'target', 'loss', 'meter', 'bank', 'optimizer']);

/** Kernels that nodes of the plan need and the backend has not, by node. */
export async function missingKernels(plan: Plan, backend: TensorBackend): Promise<MissingKernel[]> {
  const has = backend.kernels();
  const tried = new Map<string, string | undefined>();
  const missing: MissingKernel[] = [];
  for (const node of usedNodes(plan)) {
    for (const kernel of await needed(node)) missing.push({ node: node.name, kernel });
  }
  return missing;

  async function needed(node: GraphNode): Promise<string[]> {
    const { declaration } = node;
    if (declaration.role !== 'model') {
      const wanted = [...(COMPUTING.has(declaration.role) ? USUAL : []), ...(declaration.kernels ?? [])];
      return wanted.filter((kernel) => !has.has(kernel));
    }
    const found = new Set<string>();
    for (const [key, example] of examplesIn(modelSpec(node))) {
      if (!tried.has(key)) tried.set(key, await tryLayer(example, backend));
      const kernel = tried.get(key);
      if (kernel !== undefined) found.add(kernel);
    }
    return [...found];
  }
}

/** One problem per node, for a person. @param others kernels of the other backends that work here, by name */
export function formatMissing(
  missing: readonly MissingKernel[],
  backend: string,
  others: ReadonlyMap<string, ReadonlySet<string>>,
): string {
  return [...new Set(missing.map(({ node }) => node))]
    .map((node) => {
      const kernels = missing.filter((entry) => entry.node === node).map(({ kernel }) => kernel);
      const able = [...others].filter(([, has]) => kernels.every((kernel) => has.has(kernel))).map(([name]) => name);
      const cure =
        able.length > 0 ? `Run with device=${able.join(' or device=')}` : 'No backend that works here has it';
      return `${node} needs ${kernels.join(', ')}, which the backend ${backend} does not have. ${cure}.`;
    })
    .join('\n');
}

/** Small stand-ins for the layers of a model, by what decides which kernels run. */
function examplesIn(spec: ModelSpec): Map<string, Layer> {
  const examples = new Map<string, Layer>();
  const put = (...parts: [Layer, ...unknown[]]): void => {
    const [layer, ...variant] = parts;
    examples.set([layer.op, ...variant].join(), layer);
  };
  const visit = (layer: Layer): void => {
    switch (layer.op) {
      case 'sequence':
        layer.layers.forEach(visit);
        return;
      case 'residual':
        visit(layer.main);
        if (layer.shortcut) visit(layer.shortcut);
        put({ op: 'residual', main: { op: 'identity' }, activation: layer.activation }, layer.activation);
        return;
      case 'gate':
        visit(layer.gate);
        put({ op: 'gate', gate: { op: 'adaptive_avg_pool', size: [1, 1] } });
        return;
      case 'conv2d': {
        const grouped = (layer.groups ?? 1) > 1;
        const { stride, dilation, padding } = layer;
        const small = {
          op: layer.op,
          in: 4,
          out: 4,
          kernel: [2, 2],
          stride,
          dilation,
          padding,
          bias: layer.bias,
        } as const;
        put({ ...small, groups: grouped ? 2 : 1 }, grouped, stride, dilation, padding, layer.bias);
        return;
      }
      case 'linear':
        put(
          { op: 'linear', in: 4, out: 4, bias: layer.bias, weightNorm: layer.weightNorm },
          layer.bias,
          layer.weightNorm,
        );
        return;
      case 'batch_norm':
        put({ op: 'batch_norm', features: 4, affine: layer.affine }, layer.affine);
        return;
      case 'layer_norm_2d': {
        const groups = (layer.groups ?? 1) > 1 ? 2 : 1;
        put({ op: 'layer_norm_2d', features: 4, groups }, groups);
        return;
      }
      case 'tokens':
        put(TOKENS, 'tokens');
        return;
      case 'layer_norm':
      case 'self_attention':
      case 'first_token':
      case 'mean_token':
        put({ op: 'sequence', layers: [TOKENS, { op: 'linear', in: 4, out: 12 }, onTokens(layer)] }, layer.op);
        return;
      case 'select_channels':
        put({ op: 'select_channels', channels: [1, 0] });
        return;
      default:
        put({ ...layer, name: undefined }, JSON.stringify(layer));
    }
  };
  for (const { layer } of spec.stages) visit(layer);
  for (const output of Object.values(spec.outputs).flat()) if (output.layer) visit(output.layer);
  return examples;
}

const TOKENS: Layer = { op: 'tokens', features: 4, rows: 6, columns: 6, classToken: true, std: 1 };

const onTokens = (layer: Layer): Layer => {
  if (layer.op === 'layer_norm') return { op: 'layer_norm', features: 12 };
  return layer.op === 'self_attention' ? { op: 'self_attention', heads: 2 } : { ...layer, name: undefined };
};

/** The kernel that a layer lacks, or undefined. Other failures are left to the run, with its real sizes. */
async function tryLayer(layer: Layer, backend: TensorBackend): Promise<string | undefined> {
  const { createModel } = await import('../tensor/model.ts');
  const { tf } = backend;
  const flat = layer.op === 'linear';
  // a weight before it, so that gradient has to pass through the layer
  const before: Layer = { op: flat ? 'linear' : 'conv2d', name: 'before', in: 4, out: 4, kernel: [1, 1] } as Layer;
  const stages = [
    { name: 'before', layer: before },
    { name: 'layer', layer },
  ];
  const random = createRandom(0, 'try');
  const model = createModel(backend, { stages, outputs: { y: { stage: 'layer' } } }, random);
  const tape = backend.openTape();
  try {
    backend.scope(() => {
      const x = tf.ones(flat ? [2, 4] : [2, 12, 12, 4]);
      const { y } = model.forward(x, { training: true, outputs: ['y'], random });
      const trained = [...model.variables.values()].filter(({ trainable }) => trainable);
      tape.backward(
        tf.sum(y as ReturnType<typeof tf.ones>),
        trained.map(({ variable }) => variable),
      );
      tape.pause(() => model.forward(x, { training: false, outputs: ['y'] }));
    });
    return undefined;
  } catch (error) {
    return /Kernel '(\w+)' not registered/.exec((error as Error).message)?.[1];
  } finally {
    tape.close();
    model.dispose();
  }
}
