/** Convolutions by tfjs's rules of padding and format, over one libtorch operator for all of them. */
import * as tf from '@tensorflow/tfjs-core';
import type { Handle } from '../../../native/addon.ts';
import { aten, device, scalarType } from '../aten.ts';
import { cast, h, result, type TensorInfo } from '../data.ts';
import { channelsFirst, channelsLast, filterFirst, filterLast } from '../layout.ts';
import { low, lowScalarType } from '../precision.ts';
import type { Attributes, Kernel, Kernels } from '../register.ts';
import { clearUnmet } from '../unmet.ts';
import { finish } from './activation.ts';
import { complete, isSymmetric, narrow, type Padding, widen } from './window.ts';

const convolution = aten('convolution');
const backward = aten('convolution_backward');
const reshape = aten('reshape');
const permute = aten('permute');
const empty = aten('empty.memory_format');

interface Plan {
  readonly rank: 4 | 5;
  readonly output: number[];
  readonly stride: number[];
  readonly dilation: number[];
  readonly groups: number;
  /** written out as zeros where before and after differ */
  readonly padding: Padding;
  readonly symmetric: boolean;
  readonly first: boolean;
}

function plan2d(x: number[], filter: number[], attributes: Attributes, depthwise: boolean): Plan {
  const { strides, pad, dilations, dimRoundingMode, dataFormat = 'NHWC' } = attributes;
  const format = dataFormat === 'NCHW' ? 'channelsFirst' : 'channelsLast';
  const info = tf.backend_util.computeConv2DInfo(
    x as [number, number, number, number],
    filter as [number, number, number, number],
    strides,
    dilations ?? 1,
    pad,
    dimRoundingMode,
    depthwise,
    format,
  );
  const { top, bottom, left, right } = info.padInfo;
  const stride = [info.strideHeight, info.strideWidth];
  const padding = complete(
    [info.inHeight, info.inWidth],
    [info.outHeight, info.outWidth],
    [info.effectiveFilterHeight, info.effectiveFilterWidth],
    stride,
    [
      [top, bottom],
      [left, right],
    ],
  );
  return {
    rank: 4,
    output: info.outShape,
    stride,
    dilation: [info.dilationHeight, info.dilationWidth],
    groups: depthwise ? info.inChannels : info.inChannels / filter[2],
    padding,
    symmetric: isSymmetric(padding),
    first: format === 'channelsFirst',
  };
}

function plan3d(x: number[], filter: number[], { strides, pad, dilations }: Attributes): Plan {
  type Shape5 = [number, number, number, number, number];
  const info = tf.backend_util.computeConv3DInfo(x as Shape5, filter as Shape5, strides, dilations ?? 1, pad);
  const { front, back, top, bottom, left, right } = info.padInfo;
  const padding: Padding = [
    [front, back],
    [top, bottom],
    [left, right],
  ];
  return {
    rank: 5,
    output: info.outShape,
    stride: [info.strideDepth, info.strideHeight, info.strideWidth],
    dilation: [info.dilationDepth, info.dilationHeight, info.dilationWidth],
    groups: 1,
    padding,
    symmetric: isSymmetric(padding),
    first: false,
  };
}

const inward = (x: Handle, plan: Plan): Handle => (plan.first ? x : channelsFirst(x, plan.rank));
const outward = (y: Handle, plan: Plan): Handle => (plan.first ? y : channelsLast(y, plan.rank));
const implicit = (plan: Plan): number[] => plan.padding.map(([before]) => (plan.symmetric ? before : 0));
const widened = (x: Handle, plan: Plan): Handle => (plan.symmetric ? x : widen(x, plan.padding, 0));
const still = (plan: Plan): number[] => plan.stride.map(() => 0);

/** [kh, kw, C, m] → [C·m, 1, kh, kw] */
const depthwiseFirst = (w: Handle, [kh, kw, c, m]: number[]): Handle =>
  reshape(permute(w, [2, 3, 0, 1]), [c * m, 1, kh, kw]);
/** and back */
const depthwiseLast = (w: Handle, [kh, kw, c, m]: number[]): Handle =>
  permute(reshape(w, [c, m, kh, kw]), [2, 3, 0, 1]);

function forward(x: TensorInfo, w: Handle, plan: Plan): Handle {
  const padded = widened(inward(low(h(x)), plan), plan);
  return outward(
    convolution(padded, low(w), null, plan.stride, implicit(plan), plan.dilation, false, still(plan), plan.groups),
    plan,
  );
}

/** Without values: gradients read only the shape of what they are the gradient of. */
const blank = (shape: number[]): Handle => empty(shape, lowScalarType(), undefined, device);
/** [kh, kw, I, O] → [O, I, kh, kw] */
const blankFilter = (shape: number[]): Handle => blank([...shape.slice(-2).reverse(), ...shape.slice(0, -2)]);
const spatial = (shape: number[], plan: Plan): number[] => (plan.first ? shape.slice(2) : shape.slice(1, -1));

function inputGradient(dy: TensorInfo, w: Handle, shape: number[], plan: Plan): Handle {
  const padded = widened(inward(blank(shape), plan), plan);
  const args = [null, plan.stride, implicit(plan), plan.dilation, false, still(plan), plan.groups] as const;
  const [dx] = backward(inward(low(h(dy)), plan), padded, low(w), ...args, [true, false, false]);
  const inside = plan.symmetric ? dx : narrow(dx, plan.padding, spatial(shape, plan));
  return outward(inside, plan);
}

/** [O, I / groups, kh, kw], float32 */
function filterGradient(x: TensorInfo, dy: TensorInfo, blankFilter: Handle, plan: Plan): Handle {
  const padded = widened(inward(low(h(x)), plan), plan);
  const padding = implicit(plan);
  const args = [null, plan.stride, padding, plan.dilation, false, still(plan), plan.groups] as const;
  const output = inward(low(h(dy)), plan);
  const [, dw] = backward(output, padded, blankFilter, ...args, [false, true, false]);
  if (lowScalarType() !== scalarType.float32) clearUnmet(dw, padded, output, { ...plan, padding });
  return cast(dw, scalarType.float32);
}

const conv2d = (x: TensorInfo, filter: TensorInfo, attributes: Attributes): [Handle, Plan] => {
  const plan = plan2d(x.shape, filter.shape, attributes, false);
  return [forward(x, filterFirst(h(filter)), plan), plan];
};
const depthwise = (x: TensorInfo, filter: TensorInfo, attributes: Attributes): [Handle, Plan] => {
  const plan = plan2d(x.shape, filter.shape, attributes, true);
  return [forward(x, depthwiseFirst(h(filter), filter.shape), plan), plan];
};

/** A bias or slopes of one value per channel lie along axis 1 in NCHW. */
function alongChannels(tensor: TensorInfo | undefined, plan: Plan): Handle | null {
  if (!tensor) return null;
  return plan.first && tensor.shape.length === 1 ? reshape(h(tensor), [-1, 1, 1]) : h(tensor);
}

function fusedKernel(run: (x: TensorInfo, filter: TensorInfo, attributes: Attributes) => [Handle, Plan]): Kernel {
  return ({ x, filter, bias, preluActivationWeights: slope }, attributes) => {
    const [y, plan] = run(x, filter, attributes);
    return result(finish(y, alongChannels(bias, plan), alongChannels(slope, plan), attributes), 'float32', plan.output);
  };
}

export const convKernels: Kernels = {
  Conv2D: ({ x, filter }, attributes) => {
    const [y, plan] = conv2d(x, filter, attributes);
    return result(y, 'float32', plan.output);
  },
  Conv2DBackpropInput: ({ dy, filter }, attributes) => {
    const plan = plan2d(attributes.inputShape, filter.shape, attributes, false);
    return result(inputGradient(dy, filterFirst(h(filter)), attributes.inputShape, plan), 'float32');
  },
  Conv2DBackpropFilter: ({ x, dy }, attributes) => {
    const plan = plan2d(x.shape, attributes.filterShape, attributes, false);
    return result(filterLast(filterGradient(x, dy, blankFilter(attributes.filterShape), plan)), 'float32');
  },
  DepthwiseConv2dNative: ({ x, filter }, attributes) => {
    const [y, plan] = depthwise(x, filter, attributes);
    return result(y, 'float32', plan.output);
  },
  DepthwiseConv2dNativeBackpropInput: ({ dy, filter }, attributes) => {
    const plan = plan2d(attributes.inputShape, filter.shape, attributes, true);
    return result(inputGradient(dy, depthwiseFirst(h(filter), filter.shape), attributes.inputShape, plan), 'float32');
  },
  DepthwiseConv2dNativeBackpropFilter: ({ x, dy }, attributes) => {
    const shape: number[] = attributes.filterShape;
    const plan = plan2d(x.shape, shape, attributes, true);
    const dw = filterGradient(x, dy, blank([shape[2] * shape[3], 1, shape[0], shape[1]]), plan);
    return result(depthwiseLast(dw, shape), 'float32');
  },
  Conv3D: ({ x, filter }, attributes) => {
    const plan = plan3d(x.shape, filter.shape, attributes);
    return result(forward(x, filterFirst(h(filter), 5), plan), 'float32', plan.output);
  },
  Conv3DBackpropInputV2: ({ dy, filter }, attributes) => {
    const plan = plan3d(attributes.inputShape, filter.shape, attributes);
    return result(inputGradient(dy, filterFirst(h(filter), 5), attributes.inputShape, plan), 'float32');
  },
  Conv3DBackpropFilterV2: ({ x, dy }, attributes) => {
    const plan = plan3d(x.shape, attributes.filterShape, attributes);
    return result(filterLast(filterGradient(x, dy, blankFilter(attributes.filterShape), plan), 5), 'float32');
  },
  FusedConv2D: fusedKernel(conv2d),
  FusedDepthwiseConv2D: fusedKernel(depthwise),
};
