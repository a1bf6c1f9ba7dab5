import * as tf from '@tensorflow/tfjs-core';
import type { FusedKernels } from '../kernels.ts';

/** tfjs's TensorScatterUpdate writes into its input on this backend, also where others read it. */
export const cpuRows: Pick<FusedKernels, 'writeRows'> = {
  writeRows(variable, rows, values, width) {
    const next = variable.dataSync().slice();
    const fresh = values.dataSync();
    rows.forEach((row, i) => {
      next.set(fresh.subarray(i * width, (i + 1) * width), row * width);
    });
    variable.assign(tf.tensor(next, variable.shape, variable.dtype));
  },
};
