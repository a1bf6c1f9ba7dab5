/** Largest values of windows, with PyTorch's padding. */
import type { PoolGeometry } from '../../../geometry.ts';
import type { FusedKernels } from '../../../kernels.ts';
import { floats, int, text } from '../attributes.ts';
import type { Attribute } from '../binding.ts';
import type { Run } from '../run.ts';
import { paddingAttributes, paddingRule } from './padding.ts';

export const poolKernels = ({ one }: Run): Pick<FusedKernels, 'maxPool' | 'maxPoolGrad'> => ({
  maxPool(x, g) {
    const y = one('MaxPool', attributes(g), x);
    return { y, saved: [x, y] };
  },
  maxPoolGrad: (dy, [input, output], g) => one('MaxPoolGrad', attributes(g), input, output, dy),
});

function attributes({ input, output, kernel, stride, padding, paddingAfter }: PoolGeometry): Attribute[] {
  const windows = {
    input: [input[1], input[2]],
    output: [output[1], output[2]],
    window: kernel,
    stride,
    before: padding,
    after: paddingAfter,
  } as const;
  return [
    floats,
    int('ksize', [1, ...kernel, 1]),
    int('strides', [1, ...stride, 1]),
    text('data_format', 'NHWC'),
    ...paddingAttributes(paddingRule(windows), windows),
  ];
}
