/** Reference tensors into ours and back: images and maps NCHW ↔ NHWC, convolution weights OIHW ↔ HWIO, linear [out, in] ↔ [in, out]. */
import { fromTorch, torchShape, toTorch } from '../../runtime/tensor/model/layout.ts';
import type { Tensor, TensorBackend } from '../../runtime/tensor/types.ts';
import { floats, type OracleTensor } from './oracle-file.ts';

/** As it is. */
export function toTensor({ tf }: TensorBackend, { shape, dtype, data }: OracleTensor): Tensor {
  const integer = dtype.startsWith('int') || dtype.startsWith('uint') || dtype === 'bool';
  return tf.tensor(Float32Array.from(data, Number), [...shape], integer ? 'int32' : 'float32');
}

/** NCHW → NHWC; other ranks stay. */
export function toImages(backend: TensorBackend, tensor: OracleTensor): Tensor {
  const plain = toTensor(backend, tensor);
  return tensor.shape.length === 4 ? backend.tf.transpose(plain, [0, 2, 3, 1]) : plain;
}

/** NHWC → NCHW; other ranks stay. */
export function fromImages({ tf }: TensorBackend, tensor: Tensor): Tensor {
  return tensor.shape.length === 4 ? tf.transpose(tensor, [0, 3, 1, 2]) : tensor;
}

/** A weight's shape as stored, of PyTorch's. */
export const storedShape = (shape: readonly number[]): number[] => {
  if (shape.length === 4) return [shape[2], shape[3], shape[1], shape[0]];
  return shape.length === 2 ? [shape[1], shape[0]] : [...shape];
};

/** A weight of the reference in the stored layout. */
export function toWeight({ tf }: TensorBackend, tensor: OracleTensor): Tensor {
  const shape = storedShape(tensor.shape);
  return tf.tensor(fromTorch(floats(tensor), shape), shape);
}

/** A stored weight (or its gradient) in PyTorch's layout. */
export async function weightValues(tensor: Tensor): Promise<{ shape: number[]; values: Float32Array }> {
  const values = Float32Array.from(await tensor.data());
  return { shape: [...torchShape(tensor.shape)], values: toTorch(values, tensor.shape) };
}
