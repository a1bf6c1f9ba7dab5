/** Models of node types run on reference weights, through the project's own model runtime. */
import type { ModelSpec } from '../../graph/model/layers.ts';
import type { NodeProblem } from '../../graph/node-type.ts';
import type { PortValue } from '../../graph/port.ts';
import type { NodeType } from '../../runtime/node.ts';
import { createRandom } from '../../runtime/random.ts';
import { fromTorch } from '../../runtime/tensor/model/layout.ts';
import { createModel, type Model } from '../../runtime/tensor/model.ts';
import type { Tensor, TensorBackend, Variable } from '../../runtime/tensor/types.ts';
import { paramsOf } from '../support/node-context.ts';
import { near, same } from './compare.ts';
import { storedShape, weightValues } from './layout.ts';
import { floats, type OracleTensor } from './oracle-file.ts';

/** The layers of a model node with these params. Throws the problems that the node reports. */
export function describe(
  definition: NodeType,
  params: Readonly<Record<string, unknown>>,
  inputs: Readonly<Record<string, readonly PortValue[]>> = {},
): ModelSpec {
  if (definition.role !== 'model') throw new TypeError(`${definition.type} is not a model`);
  const problems: NodeProblem[] = [];
  const filled = paramsOf(definition, params);
  const problem = (found: NodeProblem) => void problems.push(found);
  const spec = definition.model({ name: 'node', params: filled, inputs, symbols: {}, problem });
  if (problems.length > 0) throw new Error(problems.map(({ message, cure }) => `${message}. ${cure}`).join('; '));
  if (!spec) throw new Error(`${definition.type} gave no model`);
  return spec;
}

export const createSpecModel = (backend: TensorBackend, spec: ModelSpec): Model =>
  createModel(backend, spec, createRandom(0, 'oracle'));

/** Put a state dict into the model; both must have the same names. */
export function loadState({ tf }: TensorBackend, model: Model, state: Readonly<Record<string, OracleTensor>>): void {
  same([...model.variables.keys()].sort(), Object.keys(state).sort(), 'names in the state dict');
  for (const [name, tensor] of Object.entries(state)) {
    const variable = model.variables.get(name)!.variable;
    const values = fromTorch(floats(tensor), storedShape(tensor.shape));
    const dtype = variable.dtype as 'float32' | 'int32';
    tf.tidy(() => variable.assign(tf.tensor(values, storedShape(tensor.shape), dtype)));
  }
}

/** A variable against a reference weight, in PyTorch's layout. */
export async function nearWeight(got: Tensor, want: OracleTensor, tolerance: number, what: string): Promise<void> {
  const { shape, values } = await weightValues(got);
  same(shape, [...want.shape], `${what}: shape`);
  near(values, want.data, tolerance, what);
}

/** Σ out.flat[i]·sin(i + 1) over outputs in PyTorch's order, on the tape. */
export function objective({ tf }: TensorBackend, outputs: readonly Tensor[]): Tensor {
  return tf.addN(
    outputs.map((output) => {
      const sines = Float32Array.from({ length: output.size }, (_, i) => Math.sin(i + 1));
      const ordered = output.shape.length === 4 ? tf.transpose(output, [0, 3, 1, 2]) : output;
      return tf.sum(tf.mul(tf.reshape(ordered, [-1]), tf.tensor1d(sines)));
    }),
  );
}

/** Gradients of what `f` gives with respect to variables, through a tape. */
export function gradients<T>(
  backend: TensorBackend,
  variables: readonly Variable[],
  f: () => { readonly loss: Tensor; readonly result: T },
): { result: T; loss: Tensor; gradients: (Tensor | null)[] } {
  const tape = backend.openTape();
  try {
    const { loss, result } = f();
    return { result, loss, gradients: tape.backward(loss, [...variables]) };
  } finally {
    tape.close();
  }
}
