/** Any of TensorFlow's operations by name. */
import type { Tensor } from '../../types.ts';
import type { TensorflowBackend } from './backend.ts';
import type { Attribute } from './binding.ts';

export interface Run {
  /** With one output. The result belongs to the running scope. */
  one(name: string, attributes: readonly Attribute[], ...inputs: Tensor[]): Tensor;
  /** With several. */
  many(name: string, attributes: readonly Attribute[], inputs: readonly Tensor[], outputs: number): Tensor[];
  readonly backend: TensorflowBackend;
}

export const createRun = (backend: TensorflowBackend): Run => ({
  backend,
  one: (name, attributes, ...inputs) => backend.executeMultipleOutputs(name, attributes, inputs, 1)[0],
  many: (name, attributes, inputs, outputs) => backend.executeMultipleOutputs(name, attributes, inputs, outputs),
});
