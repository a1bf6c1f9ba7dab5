/** Largest values of windows, with PyTorch's padding. The gradient by indices is ten times as fast as the one by values. */
import * as tf from '@tensorflow/tfjs-core';
import type { PoolGeometry } from '../../../geometry.ts';
import type { FusedKernels } from '../../../kernels.ts';
import type { Pair } from '../../../types.ts';
import { bool, floats, int, text, type } from '../attributes.ts';
import type { Attribute } from '../binding.ts';
import type { Run } from '../run.ts';
import { paddingRule } from './padding.ts';

export const poolKernels = ({ one, many }: Run): Pick<FusedKernels, 'maxPool' | 'maxPoolGrad'> => ({
  maxPool(x, g) {
    const { attributes, explicit } = plan(g);
    const input = explicit ? tf.pad(x, paddings(g), Number.NEGATIVE_INFINITY) : x;
    const [y, indices] = many('MaxPoolWithArgmax', attributes, [input], 2);
    return { y, saved: [indices] };
  },

  maxPoolGrad(dy, [indices], g) {
    const { attributes, explicit } = plan(g);
    const [n, h, w, c] = g.input;
    const pads = explicit ? paddings(g) : NONE;
    const shape = [n, h + pads[1][0] + pads[1][1], w + pads[2][0] + pads[2][1], c];
    // of the input the shape alone is read
    const dx = one('MaxPoolGradWithArgmax', attributes, tf.zeros(shape), dy, indices);
    return explicit ? tf.slice(dx, [0, pads[1][0], pads[2][0], 0], [n, h, w, c]) : dx;
  },
});

const NONE: [number, number][] = [[0, 0], [0, 0], [0, 0], [0, 0]]; // biome-ignore format: one pair per axis

const paddings = ({ padding, paddingAfter }: PoolGeometry): [number, number][] => [
  [0, 0],
  [padding[0], paddingAfter[0]],
  [padding[1], paddingAfter[1]],
  [0, 0],
];

/** explicit: TensorFlow knows no such padding here, it must be written out */
function plan({ input, output, kernel, stride, padding, paddingAfter }: PoolGeometry): {
  attributes: Attribute[];
  explicit: boolean;
} {
  const sides = (shape: readonly number[]): Pair => [shape[1], shape[2]];
  const rule = paddingRule({
    input: sides(input),
    output: sides(output),
    window: kernel,
    stride,
    before: padding,
    after: paddingAfter,
  });
  const explicit = rule === 'EXPLICIT';
  const attributes = [
    floats,
    type('Targmax', 'int64'),
    bool('include_batch_in_index', true),
    int('ksize', [1, ...kernel, 1]),
    int('strides', [1, ...stride, 1]),
    text('padding', explicit ? 'VALID' : rule),
  ];
  return { attributes, explicit };
}
