/** Convolution and its gradients by TensorFlow, with PyTorch's padding. */
import * as tf from '@tensorflow/tfjs-core';
import { composedConv, isDepthwise } from '../../../composed/conv.ts';
import type { ConvGeometry } from '../../../geometry.ts';
import type { FusedKernels } from '../../../kernels.ts';
import type { Pair, Tensor } from '../../../types.ts';
import { int, text } from '../attributes.ts';
import type { Attribute } from '../binding.ts';
import type { Products } from '../precision.ts';
import { type Padding, paddingAttributes, paddingRule, type Windows } from './padding.ts';

export function convKernels(products: Products): Pick<FusedKernels, 'conv2d' | 'conv2dInputGrad' | 'conv2dFilterGrad'> {
  return {
    conv2d(x, filter, bias, g) {
      if (isDepthwise(g)) return composedConv.conv2d(x, filter, bias, g);
      const windows = windowsOf(g);
      const y = products.run('Conv2D', attributes(g, paddingRule(windows), windows), [x, filter], []);
      return bias ? tf.add(y, bias) : y;
    },

    conv2dInputGrad(dy, filter, g) {
      if (isDepthwise(g)) return composedConv.conv2dInputGrad(dy, filter, g);
      const windows = windowsOf(g);
      const rule = paddingRule(windows);
      if (rule !== 'EXPLICIT') return inputGrad(dy, filter, attributes(g, rule, windows), g.input);
      const [top, left] = windows.before;
      const padded = inputGrad(dy, filter, attributes(g, 'VALID', windows), paddedShape(g, windows));
      return tf.slice(padded, [0, top, left, 0], [...g.input]);
    },

    conv2dFilterGrad(x, dy, g) {
      if (isDepthwise(g)) return composedConv.conv2dFilterGrad(x, dy, g);
      const windows = windowsOf(g);
      const rule = paddingRule(windows);
      if (rule !== 'EXPLICIT') return filterGrad(x, dy, attributes(g, rule, windows), g);
      const { before, after } = windows;
      const padded = tf.pad(x, [[0, 0], [before[0], after[0]], [before[1], after[1]], [0, 0]]); // biome-ignore format: one pair per axis
      return filterGrad(padded, dy, attributes(g, 'VALID', windows), g);
    },
  };

  function inputGrad(dy: Tensor, filter: Tensor, given: Attribute[], shape: readonly number[]): Tensor {
    return products.run('Conv2DBackpropInput', given, [filter, dy], [tf.tensor1d([...shape], 'int32')]);
  }

  function filterGrad(x: Tensor, dy: Tensor, given: Attribute[], g: ConvGeometry): Tensor {
    return products.run('Conv2DBackpropFilter', given, [x, dy], [tf.tensor1d([...g.filter], 'int32')], 1);
  }
}

function windowsOf({ input, filter, output, stride, padding, dilation }: ConvGeometry): Windows {
  const window: Pair = [dilation[0] * (filter[0] - 1) + 1, dilation[1] * (filter[1] - 1) + 1];
  return {
    input: [input[1], input[2]],
    output: [output[1], output[2]],
    window,
    stride,
    before: padding,
    after: padding,
  };
}

const paddedShape = ({ input: [n, h, w, c] }: ConvGeometry, { before, after }: Windows): number[] => [
  n,
  h + before[0] + after[0],
  w + before[1] + after[1],
  c,
];

const attributes = ({ stride, dilation }: ConvGeometry, rule: Padding, windows: Windows): Attribute[] => [
  int('strides', [1, ...stride, 1]),
  int('dilations', [1, ...dilation, 1]),
  text('data_format', 'NHWC'),
  ...paddingAttributes(rule, windows),
];
