/** Padding of more than four axes, which tfjs's shader cannot index: axis by axis, with the axes around it as one. */
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '../../types.ts';

export const MAX_PAD_AXES = 4;

interface Attributes {
  readonly paddings: readonly (readonly [number, number])[];
  readonly constantValue: number;
}

export function padByAxis({ x }: Record<string, Tensor>, { paddings, constantValue }: Attributes): Tensor {
  const shape = x.shape.slice();
  let padded = x;
  paddings.forEach(([before, after], axis) => {
    if (before + after === 0) return;
    const outer = tf.util.sizeFromShape(shape.slice(0, axis));
    const lines = tf.reshape(padded, [outer, shape[axis], -1]);
    padded = tf.pad(lines, [[0, 0], [before, after], [0, 0]], constantValue); // biome-ignore format: one row
    shape[axis] += before + after;
  });
  return tf.reshape(padded, shape);
}
