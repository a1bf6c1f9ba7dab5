/**
 * oneDNN's bfloat16 kernels leave in the gradient of a filter what they find in memory, NaN included, where a tap meets
 * padding alone (libtorch 1.13 to 2.13: a 3×3 filter with stride 2 over a map of one place). It is zero there.
 */
import type { Handle } from '../../native/addon.ts';
import { addon, aten } from './aten.ts';

const select = aten('select.int');
const clear = aten('zero_');

interface Windows {
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
}

/** @param dw [O, I, …taps], of x [N, C, …places] and dy [N, O, …places] */
export function clearUnmet(dw: Handle, x: Handle, dy: Handle, { stride, padding, dilation }: Windows): void {
  const [input, output, taps] = [x, dy, dw].map((handle) => addon.shape(handle).slice(2));
  for (const [axis, count] of taps.entries()) {
    for (let tap = 0; tap < count; tap++) {
      const start = tap * dilation[axis] - padding[axis];
      // the first window whose tap is not before the input
      const window = Math.max(0, Math.ceil(-start / stride[axis]));
      const meets = window < output[axis] && start + window * stride[axis] < input[axis];
      if (!meets) clear(select(dw, axis + 2, tap));
    }
  }
}
