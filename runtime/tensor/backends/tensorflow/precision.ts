/**
 * The number format of convolutions and matrix products: their operands are cast down and the result is cast back, so
 * that everything between them is float32. A float32 value is rounded to the nearest.
 */
import type { Tensor } from '../../types.ts';
import { bool, type } from './attributes.ts';
import type { TensorflowBackend } from './backend.ts';
import type { Attribute, TensorId } from './binding.ts';

export type Precision = 'float32' | 'bfloat16' | 'float16';

export interface Products {
  /**
   * An operation of type T on float operands, in the format in force.
   * @param sizes an int32 input, put at place `at` among the operands
   */
  run(
    name: string,
    attributes: readonly Attribute[],
    operands: readonly Tensor[],
    sizes: readonly Tensor[],
    at?: number,
  ): Tensor;
  setPrecision(precision: Precision): void;
}

export function createProducts(backend: TensorflowBackend): Products {
  const { binding } = backend;
  let format: Precision = 'float32';

  const cast = (id: TensorId, from: Precision, to: Precision): TensorId =>
    binding.executeOp('Cast', [type('SrcT', from), type('DstT', to), bool('Truncate', false)], [id], 1)[0].id;

  return {
    setPrecision(precision) {
      format = precision;
    },
    run(name, attributes, operands, sizes, at = 0) {
      const all = [type('T', format), ...attributes];
      const inputs = operands.slice();
      inputs.splice(at, 0, ...sizes);
      if (format === 'float32') return backend.executeMultipleOutputs(name, all, inputs, 1)[0];
      const ids = backend.ids(inputs);
      const made: TensorId[] = [];
      try {
        const low = ids.map((id, i) => {
          if (sizes.includes(inputs[i])) return id;
          made.push(cast(id, 'float32', format));
          return made.at(-1)!;
        });
        const [result] = binding.executeOp(name, all, low, 1);
        made.push(result.id);
        const id = cast(result.id, format, 'float32');
        return backend.tensor({ id, shape: result.shape, dtype: 1 });
      } finally {
        for (const id of made) binding.deleteTensor(id);
      }
    },
  };
}
