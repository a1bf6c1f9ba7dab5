/** Reductions of typed arrays, in the order in which they are called: one order of ranks gives one result. */
import type { NumberType, Operation } from './messages.ts';

export type Numbers = Float32Array | Int32Array;

export const numbersOver = (type: NumberType, buffer: ArrayBufferLike, offset = 0, length?: number): Numbers =>
  type === 'float32' ? new Float32Array(buffer, offset, length) : new Int32Array(buffer, offset, length);

/** into[i] = into[i] + values[i], or the larger one. A NaN stays one. */
export function reduceInto(operation: Operation, into: Numbers, values: Numbers): void {
  const { length } = values;
  if (operation === 'max') {
    for (let i = 0; i < length; i++) {
      const value = values[i];
      if (value > into[i] || Number.isNaN(value)) into[i] = value;
    }
  } else for (let i = 0; i < length; i++) into[i] += values[i];
}
