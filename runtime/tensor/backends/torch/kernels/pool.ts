/** Pooling by tfjs's rules: padding never counts, neither as a largest value nor in a mean. */
import * as tf from '@tensorflow/tfjs-core';
import type { Handle } from '../../../native/addon.ts';
import { aten, device, scalarType } from '../aten.ts';
import { cast, exact, h, result, share, type TensorInfo } from '../data.ts';
import { channelsFirst, channelsLast } from '../layout.ts';
import type { Attributes, Kernel, Kernels } from '../register.ts';

const pad = aten('constant_pad_nd');
const slice = aten('slice.Tensor');
const div = aten('div.Tensor');
const ones = aten('ones');
const contiguous = aten('contiguous');

interface Plan {
  readonly rank: 4 | 5;
  readonly output: number[];
  readonly kernel: number[];
  readonly stride: number[];
  /** [before, after] for each spatial axis */
  readonly padding: [number, number][];
}

function plan2d({ shape }: TensorInfo, { filterSize, strides, pad: padding, dimRoundingMode }: Attributes): Plan {
  const info = tf.backend_util.computePool2DInfo(
    shape as [number, number, number, number],
    filterSize,
    strides,
    1,
    padding,
    dimRoundingMode,
  );
  const { top, bottom, left, right } = info.padInfo;
  return {
    rank: 4,
    output: info.outShape,
    kernel: [info.filterHeight, info.filterWidth],
    stride: [info.strideHeight, info.strideWidth],
    padding: [[top, bottom], [left, right]], // biome-ignore format: one pair per axis
  };
}

function plan3d({ shape }: TensorInfo, { filterSize, strides, pad: padding, dimRoundingMode }: Attributes): Plan {
  const info = tf.backend_util.computePool3DInfo(
    shape as [number, number, number, number, number],
    filterSize,
    strides,
    1,
    padding,
    dimRoundingMode,
  );
  const { front, back, top, bottom, left, right } = info.padInfo;
  return {
    rank: 5,
    output: info.outShape,
    kernel: [info.filterDepth, info.filterHeight, info.filterWidth],
    stride: [info.strideDepth, info.strideHeight, info.strideWidth],
    padding: [[front, back], [top, bottom], [left, right]], // biome-ignore format: one pair per axis
  };
}

type MakePlan = (x: TensorInfo, attributes: Attributes) => Plan;

const widened = (x: Handle, { padding }: Plan, value: number): Handle =>
  padding.flat().some((amount) => amount !== 0) ? pad(x, [...padding].reverse().flat(), value) : x;

function narrowed(x: Handle, { padding }: Plan, lengths: number[]): Handle {
  let view = x;
  padding.forEach(([before], i) => {
    view = slice(view, i + 2, before, before + lengths[i]);
  });
  return view;
}

const zeros = (plan: Plan): number[] => plan.kernel.map(() => 0);
const steps = (plan: Plan): number[] => plan.kernel.map(() => 1);
const window = (plan: Plan): number => tf.util.sizeFromShape(plan.kernel);
const operator = (name: string, { rank }: Plan) => aten(rank === 4 ? name : name.replace('2d', '3d'));

function largest(x: Handle, plan: Plan): [y: Handle, indices: Handle, padded: Handle] {
  const padded = widened(channelsFirst(x, plan.rank), plan, Number.NEGATIVE_INFINITY);
  const [y, indices] = operator('max_pool2d_with_indices', plan)(
    padded,
    plan.kernel,
    plan.stride,
    zeros(plan),
    steps(plan),
    false,
  );
  return [y, indices, padded];
}

/** Sums over the windows of an input in channels-first order, zeros around it. */
const sums = (x: Handle, plan: Plan): Handle =>
  operator('avg_pool2d', plan)(widened(x, plan, 0), plan.kernel, plan.stride, zeros(plan), false, true, 1);

/** libtorch pools floats. */
const floats = (x: TensorInfo): Handle => cast(exact(x), scalarType.float32);

const maxPool =
  (makePlan: MakePlan): Kernel =>
  ({ x }, attributes) => {
    const plan = makePlan(x, attributes);
    if (window(plan) === 1 && tf.util.arraysEqual(plan.output, x.shape)) return share(x);
    const values = x.dtype === 'float32' ? h(x) : floats(x);
    const [y] = largest(values, plan);
    return result(
      cast(channelsLast(y, plan.rank), x.dtype === 'int32' ? scalarType.int32 : scalarType.float32),
      x.dtype,
      plan.output,
    );
  };

const maxPoolGrad =
  (makePlan: MakePlan): Kernel =>
  ({ dy, input }, attributes) => {
    const plan = makePlan(input, attributes);
    const [, indices, padded] = largest(floats(input), plan);
    const gradient = channelsFirst(exact(dy), plan.rank);
    const name = plan.rank === 4 ? 'max_pool2d_with_indices_backward' : 'max_pool3d_with_indices_backward';
    const dx = aten(name)(gradient, padded, plan.kernel, plan.stride, zeros(plan), steps(plan), false, indices);
    return result(channelsLast(narrowed(dx, plan, input.shape.slice(1, -1)), plan.rank), 'float32', input.shape);
  };

const avgPool =
  (makePlan: MakePlan): Kernel =>
  ({ x }, attributes) => {
    const plan = makePlan(x, attributes);
    if (window(plan) === 1 && tf.util.arraysEqual(plan.output, x.shape)) return share(x);
    const total = sums(channelsFirst(floats(x), plan.rank), plan);
    const places = ones([1, 1, ...x.shape.slice(1, -1)], scalarType.float32, undefined, device);
    return result(channelsLast(div(total, sums(places, plan)), plan.rank), 'float32', plan.output);
  };

/** As tfjs defines it: dy spread in equal parts over the whole window, padding included. */
const avgPoolGrad =
  (makePlan: MakePlan): Kernel =>
  ({ dy, input }, attributes) => {
    const plan = makePlan(input, attributes);
    const padded = widened(channelsFirst(floats(input), plan.rank), plan, 0);
    const gradient = contiguous(channelsFirst(exact(dy), plan.rank));
    const backward = aten(plan.rank === 4 ? 'avg_pool2d_backward' : 'avg_pool3d_backward');
    const dx = backward(gradient, padded, plan.kernel, plan.stride, zeros(plan), false, true, window(plan));
    return result(channelsLast(narrowed(dx, plan, input.shape.slice(1, -1)), plan.rank), 'float32', input.shape);
  };

const mul = aten('mul.Scalar');
const add = aten('add.Tensor');
const shift = aten('add.Scalar');
const remainder = aten('remainder.Scalar');
const divide = aten('div.Scalar_mode');
const arange = aten('arange.start_step');
const reshape = aten('reshape');

/** tfjs's positions: (y · W + x) · C + c within an image, or counted on from the images before it. */
const withArgmax: Kernel = ({ x }, attributes) => {
  const { filterSize, strides, pad: padding, includeBatchInIndex } = attributes;
  const plan = plan2d(x, { filterSize, strides, pad: padding });
  const [n, height, width, c] = x.shape;
  const [y, indices] = largest(floats(x), plan);
  const wide = width + plan.padding[1][0] + plan.padding[1][1];
  const row = shift(divide(indices, wide, 'floor'), -plan.padding[0][0]);
  const column = shift(remainder(indices, wide), -plan.padding[1][0]);
  let position = mul(add(mul(row, width), column), c);
  position = add(position, reshape(arange(0, c, 1, scalarType.int64, undefined, device), [1, c, 1, 1]));
  if (includeBatchInIndex) {
    const images = mul(arange(0, n, 1, scalarType.int64, undefined, device), height * width * c);
    position = add(position, reshape(images, [n, 1, 1, 1]));
  }
  return [
    result(channelsLast(y), x.dtype, plan.output),
    result(cast(channelsLast(position), scalarType.int32), 'int32', plan.output),
  ];
};

export const poolKernels: Kernels = {
  MaxPool: maxPool(plan2d),
  MaxPool3D: maxPool(plan3d),
  MaxPoolGrad: maxPoolGrad(plan2d),
  MaxPool3DGrad: maxPoolGrad(plan3d),
  AvgPool: avgPool(plan2d),
  AvgPool3D: avgPool(plan3d),
  AvgPoolGrad: avgPoolGrad(plan2d),
  AvgPool3DGrad: avgPoolGrad(plan3d),
  MaxPoolWithArgmax: withArgmax,
};
