import type { Handle } from '../../../runtime/tensor/native/addon.ts';
import { locateLibtorch } from '../../../runtime/tensor/native/locate.ts';
import { countTests, withBackend } from '../availability.ts';
import { formula, size } from '../support.ts';

/** A suite that needs libtorch. Where it is missing, the tests do not exist: their number and the reason are printed. */
export const withTorch = (title: string, define: () => void): void => withBackend('torch', title, define);

/** Whether the libtorch here computes in float16 on the CPU: 1.13 has no convolutions of it. */
export function hasFloat16(): boolean {
  try {
    return locateLibtorch().version[0] >= 2;
  } catch {
    return false;
  }
}

/** A suite that needs float16. Where libtorch has none the tests do not exist: their number and the reason are printed. */
export function withFloat16(title: string, define: () => void): void {
  if (hasFloat16()) withTorch(title, define);
  else process.stderr.write(`${title}: no float16 here: ${countTests(define)} tests not run\n`);
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
