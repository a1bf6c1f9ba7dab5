/** Pooling by tfjs's rules: padding never counts, neither as a largest value nor in a mean. */
import * as tf from '@tensorflow/tfjs-core';
import type { Handle } from '../../../native/addon.ts';
import { aten, device, scalarType } from '../aten.ts';
import { cast, exact, h, result, share, type TensorInfo } from '../data.ts';
import { channelsFirst, channelsLast } from '../layout.ts';
import type { Attributes, Kernel, Kernels } from '../register.ts';
import { complete, narrow, type Padding, widen } from './window.ts';

const div = aten('div.Tensor');
const ones = aten('ones');
const contiguous = aten('contiguous');

interface Plan {
  readonly rank: 4 | 5;
  readonly output: number[];
  readonly kernel: number[];
  readonly stride: number[];
  readonly padding: Padding;
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
  const kernel = [info.filterHeight, info.filterWidth];
  const stride = [info.strideHeight, info.strideWidth];
  return makePlan(shape, info.outShape, kernel, stride, [
    [top, bottom],
    [left, right],
  ]);
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
  const kernel = [info.filterDepth, info.filterHeight, info.filterWidth];
  const stride = [info.strideDepth, info.strideHeight, info.strideWidth];
  return makePlan(shape, info.outShape, kernel, stride, [
    [front, back],
    [top, bottom],
    [left, right],
  ]);
}

function makePlan(input: number[], output: number[], kernel: number[], stride: number[], asked: Padding): Plan {
  const padding = complete(input.slice(1, -1), output.slice(1, -1), kernel, stride, asked);
  return { rank: input.length as 4 | 5, output, kernel, stride, padding };
}

type Planner = (x: TensorInfo, attributes: Attributes) => Plan;

const zeros = (plan: Plan): number[] => plan.kernel.map(() => 0);
const steps = (plan: Plan): number[] => plan.kernel.map(() => 1);
const window = (plan: Plan): number => tf.util.sizeFromShape(plan.kernel);
const operator = (name: string, { rank }: Plan) => aten(rank === 4 ? name : name.replace('2d', '3d'));

function largest(x: Handle, plan: Plan): [y: Handle, indices: Handle, padded: Handle] {
  const padded = widen(channelsFirst(x, plan.rank), plan.padding, Number.NEGATIVE_INFINITY);
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
  operator('avg_pool2d', plan)(widen(x, plan.padding, 0), plan.kernel, plan.stride, zeros(plan), false, true, 1);

/** The window is larger than the input. */
const nothing = ({ output }: Plan): TensorInfo =>
  result(
    aten('zeros')(
      output.map((length) => Math.max(length, 0)),
      scalarType.float32,
      undefined,
      device,
    ),
    'float32',
  );

/** libtorch pools floats. */
const floats = (x: TensorInfo): Handle => cast(exact(x), scalarType.float32);

const maxPool =
  (planFor: Planner): Kernel =>
  ({ x }, attributes) => {
    const plan = planFor(x, attributes);
    if (plan.output.some((length) => length < 1)) return nothing(plan);
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
  (planFor: Planner): Kernel =>
  ({ dy, input }, attributes) => {
    const plan = planFor(input, attributes);
    const [, indices, padded] = largest(floats(input), plan);
    const gradient = channelsFirst(exact(dy), plan.rank);
    const name = plan.rank === 4 ? 'max_pool2d_with_indices_backward' : 'max_pool3d_with_indices_backward';
    const dx = aten(name)(gradient, padded, plan.kernel, plan.stride, zeros(plan), steps(plan), false, indices);
    return result(channelsLast(narrow(dx, plan.padding, input.shape.slice(1, -1)), plan.rank), 'float32', input.shape);
  };

const avgPool =
  (planFor: Planner): Kernel =>
  ({ x }, attributes) => {
    const plan = planFor(x, attributes);
    if (plan.output.some((length) => length < 1)) return nothing(plan);
    if (window(plan) === 1 && tf.util.arraysEqual(plan.output, x.shape)) return share(x);
    const total = sums(channelsFirst(floats(x), plan.rank), plan);
    const places = ones([1, 1, ...x.shape.slice(1, -1)], scalarType.float32, undefined, device);
    const counts = aten('clamp')(sums(places, plan), 1); // a window may lie in padding alone
    return result(channelsLast(div(total, counts), plan.rank), 'float32', plan.output);
  };

/** As tfjs defines it: dy spread in equal parts over the whole window, padding included. */
const avgPoolGrad =
  (planFor: Planner): Kernel =>
  ({ dy, input }, attributes) => {
    const plan = planFor(input, attributes);
    const padded = widen(channelsFirst(floats(input), plan.rank), plan.padding, 0);
    const gradient = contiguous(channelsFirst(exact(dy), plan.rank));
    const backward = aten(plan.rank === 4 ? 'avg_pool2d_backward' : 'avg_pool3d_backward');
    const dx = backward(gradient, padded, plan.kernel, plan.stride, zeros(plan), false, true, window(plan));
    return result(channelsLast(narrow(dx, plan.padding, input.shape.slice(1, -1)), plan.rank), 'float32', input.shape);
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
