import type { Handle } from '../../../runtime/tensor/native/addon.ts';
import type { TensorBackend } from '../../../runtime/tensor/types.ts';
import { withBackend } from '../availability.ts';
import { formula, size } from '../support.ts';

/** A suite that needs libtorch. Where it is missing, the tests do not exist: their number and the reason are printed. */
export const withTorch = (title: string, define: () => void): void => withBackend('torch', title, define);

/** Skips a test, or a suite's each, where this libtorch has no float16 on its device. */
export function inFloat16(context: Mocha.Context, backend: TensorBackend): void {
  backend.activate();
  try {
    backend.withPrecision('float16', () => undefined);
  } catch (error) {
    process.stderr.write(`${context.currentTest?.title}: not run (${(error as Error).message})\n`);
    context.skip();
  }
}

export type Aten = typeof import('../../../runtime/tensor/backends/torch/aten.ts');

/** Input number k of a case as a tensor of libtorch, images channels-last; float32 unless another type is said. */
export function given(
  { aten, memoryFormat, scalarType, upload }: Aten,
  k: number,
  shape: readonly number[],
  type?: number,
) {
  const plain = upload(formula(k, size(shape)), shape, scalarType.float32);
  const cast = type === undefined ? plain : aten('_to_copy')(plain, type);
  return shape.length === 4 ? aten('contiguous')(cast, memoryFormat.channelsLast) : cast;
}

/** Values in the order of the axes. */
export function read({ addon, aten, memoryFormat, scalarType }: Aten, handle: Handle): Float32Array {
  const plain = aten('contiguous')(aten('_to_copy')(handle, scalarType.float32), memoryFormat.contiguous);
  const list = new Float32Array(size(addon.shape(plain)));
  addon.readInto(plain, list);
  return list;
}
