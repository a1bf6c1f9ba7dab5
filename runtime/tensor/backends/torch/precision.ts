/**
 * The number format of convolutions and matrix products, after PyTorch's autocast: their operands are cast to it, what
 * follows value by value stays in it, and reductions, losses, normalisation statistics and parameters are float32. tfjs
 * sees float32 throughout.
 */
import type { Handle } from '../../native/addon.ts';
import { Missing } from '../../native/missing.ts';
import type { Precision } from '../../types.ts';
import { addon, aten, device, keep, kernelScope, scalarType, version } from './aten.ts';
import { cast, type TorchData } from './data.ts';

let lowType: number = scalarType.float32;
/** formats that have been in force: values may be kept in them */
const used = new Set<number>([scalarType.float32]);

/** @throws Missing where this libtorch has no such convolution or product on this device */
export function setPrecision(precision: Precision): void {
  const type = scalarType[precision];
  if (!used.has(type)) kernelScope(() => tryOut(precision, type));
  used.add(type);
  lowType = type;
}

export const lowScalarType = (): number => lowType;

function tryOut(precision: Precision, type: number): void {
  try {
    const x = aten('ones')([1, 8, 4, 4], type, undefined, device);
    const w = aten('ones')([8, 8, 3, 3], type, undefined, device);
    const y = aten('convolution')(x, w, null, [1, 1], [1, 1], [1, 1], false, [0, 0], 1);
    aten('convolution_backward')(y, x, w, null, [1, 1], [1, 1], [1, 1], false, [0, 0], 1, [true, true, false]);
    aten('mm')(aten('ones')([8, 8], type, undefined, device), aten('ones')([8, 8], type, undefined, device));
  } catch (error) {
    const [reason] = (error as Error).message.split('\n');
    throw new Missing(`libtorch ${version} has no ${precision} convolutions on ${device} (${reason})`, 'use float32');
  }
}

/** The values as a product takes them: in the format in force, whatever they are kept in. */
export function low(handle: Handle): Handle {
  if (used.size === 1) return handle;
  const type = addon.scalarType(handle);
  return type !== lowType && used.has(type) ? cast(handle, lowType) : handle;
}

/** As `low`, and the cast values stay with the data until it changes: for filters, which are read three times a step. */
export function lowKept(data: TorchData, handle: Handle): Handle {
  if (lowType === scalarType.float32 || addon.scalarType(handle) !== scalarType.float32) return low(handle);
  if (data.low >= 0 && addon.scalarType(data.low) !== lowType) data.dropLow();
  if (data.low < 0) data.low = keep(cast(handle, lowType));
  return data.low;
}
