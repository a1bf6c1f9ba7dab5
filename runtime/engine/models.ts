/** Model nodes made ready to run: parameters named "<node>.<state-dict name>", initial values, weights files. */

import type { Follows, ModelKeys } from '../../graph/model/keys.ts';
import type { ModelSpec } from '../../graph/model/layers.ts';
import type { OptimizedParameter } from '../node.ts';
import { createRandom } from '../random.ts';
import { fromTorch, torchShape, toTorch } from '../tensor/model/layout.ts';
import type { Model, ModelVariable } from '../tensor/model.ts';
import type { BatchNormGroup, TensorBackend } from '../tensor/types.ts';
import type { TensorSource } from '../train/safetensors.ts';
import type { StoredTensor } from '../train/weights-file.ts';
import type { GraphNode } from './edges.ts';

export interface RunningModel {
  readonly node: GraphNode;
  readonly model: Model;
  /** output port → parameter names that are handed out */
  readonly weights: Readonly<Record<string, readonly string[]>>;
  readonly head: boolean;
  /** its parameters are another node's: they are saved and trained there */
  readonly shares: boolean;
  /** how it follows another, or the one does whose parameters it shares */
  readonly follows?: Follows;
}

/** Models with parameters of their own. */
export const owners = (models: ReadonlyMap<string, RunningModel>): RunningModel[] =>
  [...models.values()].filter(({ shares }) => !shares);

/** The layers of a model node. @throws Error when they are not known, which the checks have refused before */
export function modelSpec(node: GraphNode): ModelSpec {
  const { declaration } = node;
  if (declaration.role !== 'model') throw new TypeError(`${node.name} is not a model`);
  const problems: string[] = [];
  const described = declaration.model({
    name: node.name,
    params: node.params,
    inputs: Object.values(node.inputValues)[0] ?? {},
    symbols: Object.values(node.symbols)[0] ?? {},
    problem: ({ message }) => problems.push(message),
  });
  if (!described) throw new Error(`${node.name}: ${problems.join('; ') || 'its model is not known'}`);
  return described;
}

/** Create a node's model with its initial values, or with the parameters of the `owner` that it shares them with. */
export async function createRunningModel(
  node: GraphNode,
  backend: TensorBackend,
  seed: number,
  owner?: RunningModel,
  batchNormGroup?: BatchNormGroup,
): Promise<RunningModel> {
  if (owner) return { ...owner, node, shares: true };
  const spec = modelSpec(node);
  // tensor libraries are loaded with the backend, not with this file
  const { createModel } = await import('../tensor/model.ts');
  return {
    node,
    model: createModel(backend, spec, createRandom(seed, 'model', node.name), {
      batchNormGroup,
      recomputedParts: (node.params as ModelKeys).activation_checkpointing,
    }),
    weights: spec.weights ?? {},
    head: 'head' in node.declaration && node.declaration.head === true,
    shares: false,
    follows: (node.params as ModelKeys).follows,
  };
}

/** Parameters that an optimizer trains: every trainable one of the models, in their order. */
export function optimizedParameters(models: readonly RunningModel[]): OptimizedParameter[] {
  return models.flatMap(({ node, model, head }) =>
    [...model.variables.values()]
      .filter(({ trainable }) => trainable)
      .map(({ name, layer, kind, variable }) => ({
        name: `${node.name}.${name}`,
        node: node.name,
        layer: OPTIMIZED_LAYERS.has(layer) ? (layer as OptimizedParameter['layer']) : 'other',
        kind: kind === 'weight' || kind === 'bias' ? kind : 'other',
        head,
        variable,
      })),
  );
}

const OPTIMIZED_LAYERS: ReadonlySet<string> = new Set([
  'conv2d',
  'linear',
  'batch_norm',
  'layer_norm_2d',
  'layer_norm',
]);

/** The model's tensors as files hold them: PyTorch's names and layouts (OIHW, [out, in]). */
export function savedTensors({ node, model }: RunningModel): TensorSource[] {
  return [...model.variables.values()].map(({ name, variable }) => ({
    name: `${node.name}.${name}`,
    dtype: variable.dtype === 'int32' ? 'I32' : 'F32',
    shape: torchShape(variable.shape),
    async read() {
      const values = (await variable.data()) as Float32Array | Int32Array;
      return values instanceof Float32Array ? toTorch(values, variable.shape) : values;
    },
  }));
}

/** @throws Error when the shapes differ */
export function assignStored(
  { tf }: TensorBackend,
  { name, shape, variable }: ModelVariable,
  stored: StoredTensor,
  from: string,
): void {
  const expected = torchShape(shape);
  if (String(expected) !== String(stored.shape)) {
    throw new Error(`${from}: ${name} has shape [${stored.shape}]; the model's has [${expected}] (PyTorch's order)`);
  }
  const values = stored.values instanceof Float32Array ? fromTorch(stored.values, shape) : stored.values;
  tf.tidy(() => variable.assign(tf.tensor(values, [...shape], variable.dtype)));
}
