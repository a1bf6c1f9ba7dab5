/** Pooling from tfjs kernels. */
import * as tf from '@tensorflow/tfjs-core';
import type { PoolGeometry } from '../geometry.ts';
import type { FusedKernels } from '../kernels.ts';
import type { Tensor } from '../types.ts';

type Pool = Pick<FusedKernels, 'maxPool' | 'maxPoolGrad' | 'sumPool' | 'sumPoolGrad'>;

const attributes = ({ kernel, stride, padding, paddingAfter }: PoolGeometry) => ({
  filterSize: [...kernel],
  strides: [...stride],
  pad: [
    [0, 0],
    [padding[0], paddingAfter[0]],
    [padding[1], paddingAfter[1]],
    [0, 0],
  ],
});

const run = (kernel: string, inputs: Record<string, Tensor>, g: PoolGeometry): Tensor =>
  tf.engine().runKernel(kernel, inputs, attributes(g));

export const composedPool: Pool = {
  maxPool(x, g) {
    const y = run('MaxPool', { x }, g);
    return { y, saved: [x, y] };
  },
  maxPoolGrad: (dy, [input, output], g) => run('MaxPoolGrad', { dy, input, output }, g),

  // with the zeros written out, every window is whole, and the mean times the window's size is the sum
  sumPool(x, g) {
    const { kernel, stride } = g;
    const padded = tf.pad(x, paddings(g)) as tf.Tensor4D;
    const mean = tf.avgPool(padded, [...kernel], [...stride], 'valid');
    return tf.mul(mean, kernel[0] * kernel[1]);
  },
  sumPoolGrad(dy, g) {
    const { kernel, stride } = g;
    const [n, h, w, c] = g.input;
    const [, [top, bottom], [left, right]] = paddings(g);
    const shape = [n, h + top + bottom, w + left + right, c];
    const padded = tf
      .engine()
      .runKernel(
        'AvgPoolGrad',
        { dy: tf.mul(dy, kernel[0] * kernel[1]), input: tf.zeros(shape) },
        { filterSize: [...kernel], strides: [...stride], pad: 'valid' },
      ) as Tensor;
    return tf.slice(padded, [0, top, left, 0], [n, h, w, c]);
  },
};

const paddings = ({ padding, paddingAfter }: PoolGeometry): [number, number][] => [
  [0, 0],
  [padding[0], paddingAfter[0]],
  [padding[1], paddingAfter[1]],
  [0, 0],
];
