/**
 * Running sums and products along an axis, doubling the reach from step to step (Hillis and Steele 1986). tfjs's own
 * kernel keeps the length of the first reversed scan for all that follow.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '../../types.ts';

interface Attributes {
  readonly axis: number;
  readonly exclusive?: boolean;
  readonly reverse?: boolean;
}

/** @param neutral what the operation leaves values as they are with */
const scan =
  (combine: (a: Tensor, b: Tensor) => Tensor, neutral: number) =>
  ({ x }: Record<string, Tensor>, { axis: given, exclusive = false, reverse = false }: Attributes): Tensor => {
    if (x.size === 0) return tf.clone(x);
    const [axis] = tf.util.parseAxisParam(given, x.shape);
    const length = x.shape[axis];
    /** every value `by` places further on; what falls off the end is dropped */
    const shifted = (values: Tensor, by: number): Tensor => {
      const size = values.shape.slice();
      size[axis] = length - by;
      const paddings = size.map((_, i): [number, number] => [i === axis ? by : 0, 0]);
      const start = size.map(() => 0);
      return tf.pad(tf.slice(values, start, size), paddings, neutral);
    };
    const inOrder = reverse ? tf.reverse(x, axis) : x;
    let sums = exclusive ? shifted(inOrder, 1) : inOrder;
    for (let reach = 1; reach < length; reach *= 2) sums = combine(sums, shifted(sums, reach));
    return reverse ? tf.reverse(sums, axis) : tf.clone(sums);
  };

export const scanKernels = { Cumsum: scan(tf.add, 0), Cumprod: scan(tf.mul, 1) };
