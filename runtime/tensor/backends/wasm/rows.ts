import type { FusedKernels } from '../../kernels.ts';
import type { Heap } from './heap.ts';

/** float32 and int32 alike: four bytes are copied as they are. */
export const wasmRows = (heap: Heap): Pick<FusedKernels, 'writeRows'> => ({
  writeRows(variable, rows, values, width) {
    heap.own(variable);
    const to = heap.words(variable);
    const from = heap.words(values);
    rows.forEach((row, i) => {
      to.set(from.subarray(i * width, (i + 1) * width), row * width);
    });
  },
});
