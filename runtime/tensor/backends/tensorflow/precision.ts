/**
 * The number format of convolutions and matrix products: their operands are cast down and the result is cast back, so
 * that everything between them is float32. A float32 value is rounded to the nearest.
 */
import * as tf from '@tensorflow/tfjs-core';
import { Missing } from '../../native/missing.ts';
import { scope } from '../../scope.ts';
import type { Precision, Tensor } from '../../types.ts';
import { bool, int, text, type } from './attributes.ts';
import type { TensorflowBackend } from './backend.ts';
import type { Attribute, TensorId } from './binding.ts';

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
  /** @throws Missing where this TensorFlow has no such convolution or product on its device */
  setPrecision(precision: Precision): void;
}

export function createProducts(backend: TensorflowBackend): Products {
  const { binding } = backend;
  let format: Precision = 'float32';
  const tried = new Set<Precision>([format]);

  const cast = (id: TensorId, from: Precision, to: Precision): TensorId =>
    binding.executeOp('Cast', [type('SrcT', from), type('DstT', to), bool('Truncate', false)], [id], 1)[0].id;

  const products: Products = {
    setPrecision(precision) {
      const before = format;
      format = precision;
      if (tried.has(precision)) return;
      try {
        scope(() => tryOut(products));
        tried.add(precision);
      } catch (error) {
        format = before;
        const [reason] = (error as Error).message.split('\n');
        const what = `TensorFlow ${binding.TF_Version} has no ${precision} convolutions here (${reason})`;
        throw new Missing(what, 'use float32');
      }
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
  return products;
}

/** A convolution, its gradients, a matrix product. */
function tryOut({ run }: Products): void {
  const plain = [1, 1, 1, 1];
  const attributes = [
    int('strides', plain),
    int('dilations', plain),
    text('data_format', 'NHWC'),
    text('padding', 'SAME'),
  ];
  const [x, filter] = [tf.ones([1, 4, 4, 8]), tf.ones([3, 3, 8, 8])];
  const y = run('Conv2D', attributes, [x, filter], []);
  run('Conv2DBackpropInput', attributes, [filter, y], [tf.tensor1d(x.shape, 'int32')]);
  run('Conv2DBackpropFilter', attributes, [x, y], [tf.tensor1d(filter.shape, 'int32')], 1);
  const rows = tf.ones([8, 8]);
  run('MatMul', [bool('transpose_a', false), bool('transpose_b', false)], [rows, rows], []);
}
