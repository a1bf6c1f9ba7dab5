/** Results of fused kernels as tfjs tensors, and parameters that are written to in place. */
import * as tf from '@tensorflow/tfjs-core';
import type { Handle } from '../../../native/addon.ts';
import type { Tensor, Variable } from '../../../types.ts';
import { addon, aten, keep } from '../aten.ts';
import { dataOf, FILTER, IMAGE, result, resultFirst, type TensorInfo, type TorchData } from '../data.ts';

const clone = aten('clone');

const engine = tf.engine() as unknown as { makeTensorFromTensorInfo(info: tf.TensorInfo): Tensor };

/** A tensor of the running scope. */
export const tensorOf = (info: TensorInfo): Tensor => engine.makeTensorFromTensorInfo(info);

/** Hand out a result as a tensor of the running scope. */
export const tensor = (handle: Handle, shape: readonly number[], dtype: tf.DataType = 'float32'): Tensor =>
  tensorOf(result(handle, dtype, shape as number[]));

/** Hand out an image result [N, C, H, W] as a tensor [N, H, W, C]. */
export const image = (handle: Handle, shape: readonly number[], dtype: tf.DataType = 'float32'): Tensor =>
  tensorOf(resultFirst(handle, IMAGE, dtype, shape as number[]));

/** Hand out a filter [O, I, kh, kw] as a tensor [kh, kw, I, O]. */
export const filter = (handle: Handle, shape: readonly number[]): Tensor =>
  tensorOf(resultFirst(handle, FILTER, 'float32', shape as number[]));

/**
 * The data of a variable, to be written to: where another tensor reads the same memory (a clone, a view), the variable
 * gets a copy of its own first.
 */
export function writable(variable: Variable): TorchData {
  let data = dataOf(variable);
  if (data.references > 1) {
    const own = tensor(clone(data.handle), variable.shape, variable.dtype);
    variable.assign(own);
    own.dispose();
    data = dataOf(variable);
  } else {
    const only = data.onlyView();
    if (!addon.isExclusive(only)) {
      const own = keep(clone(only));
      if (data.first >= 0) data.replaceFirst(own, data.back);
      else data.replace(own);
    }
  }
  data.dropLow();
  return data;
}
