/** Padding of sliding windows, in channels-first order; written out as values where libtorch has no argument for it. */
import type { Handle } from '../../../native/addon.ts';
import { aten } from '../aten.ts';

const pad = aten('constant_pad_nd');
const slice = aten('slice.Tensor');

/** [before, after] for each spatial axis */
export type Padding = readonly (readonly [number, number])[];

/**
 * tfjs may round the number of windows up: then the last one needs more padding than was asked for.
 * @param extents of a window, dilation included
 */
export function complete(
  lengths: number[],
  counts: number[],
  extents: number[],
  strides: number[],
  padding: Padding,
): Padding {
  return padding.map(([before, after], i) => {
    const needed = (counts[i] - 1) * strides[i] + extents[i] - lengths[i] - before;
    return [before, Math.max(after, needed)];
  });
}

export const isSymmetric = (padding: Padding): boolean => padding.every(([before, after]) => before === after);

/** Write the padding out. libtorch counts axes from the last. */
export const widen = (x: Handle, padding: Padding, value: number): Handle =>
  padding.flat().some((amount) => amount !== 0) ? pad(x, [...padding].reverse().flat(), value) : x;

/** Cut it off again, leaving `lengths`. */
export function narrow(x: Handle, padding: Padding, lengths: readonly number[]): Handle {
  let view = x;
  padding.forEach(([before], i) => {
    view = slice(view, i + 2, before, before + lengths[i]);
  });
  return view;
}
