import * as tf from '@tensorflow/tfjs-core';
import type { FusedKernels } from '../kernels.ts';

/** A new value with the rows in it takes the variable's place: all of it is copied. */
export const composedRows: Pick<FusedKernels, 'writeRows'> = {
  writeRows(variable, rows, values, width) {
    const table = tf.reshape(variable, [variable.size / width, width]);
    const places = tf.tensor2d(rows, [rows.length, 1], 'int32');
    const written = tf.tensorScatterUpdate(table, places, tf.reshape(values, [rows.length, width]));
    variable.assign(tf.reshape(written, variable.shape));
  },
};
