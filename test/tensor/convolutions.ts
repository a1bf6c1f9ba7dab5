import fc from 'fast-check';
import type { Pair } from '../../runtime/tensor/types.ts';

const pair = (min: number, max: number): fc.Arbitrary<Pair> =>
  fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }));

/** Convolutions that fit: the input is at least as large as the dilated filter. */
export const convolutions = fc
  .record({
    images: fc.integer({ min: 1, max: 5 }),
    extra: pair(0, 6),
    groups: fc.integer({ min: 1, max: 3 }),
    inputs: fc.integer({ min: 1, max: 10 }),
    outputs: fc.integer({ min: 1, max: 11 }),
    kernel: pair(1, 4),
    stride: pair(1, 3),
    padding: pair(0, 3),
    dilation: pair(1, 2),
  })
  .map(({ images, extra, groups, inputs, outputs, kernel, stride, padding, dilation }) => {
    const side = (i: 0 | 1) => Math.max(dilation[i] * (kernel[i] - 1) + 1 - 2 * padding[i], 1) + extra[i];
    return {
      x: [images, side(0), side(1), inputs * groups],
      filter: [kernel[0], kernel[1], inputs, outputs * groups],
      options: { stride, padding, dilation, groups },
    };
  });
