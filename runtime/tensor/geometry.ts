/** Sizes of convolutions and pooling by PyTorch's rules. No tensors here. */
import type { ConvOptions, Pair, PoolOptions } from './types.ts';

export type Shape4 = readonly [number, number, number, number];

export interface ConvGeometry {
  /** [N, H, W, C] */
  readonly input: Shape4;
  /** [kh, kw, C / groups, O] */
  readonly filter: Shape4;
  /** [N, H', W', O] */
  readonly output: Shape4;
  readonly stride: Pair;
  readonly padding: Pair;
  readonly dilation: Pair;
  readonly groups: number;
}

export interface PoolGeometry {
  readonly input: Shape4;
  readonly output: Shape4;
  readonly kernel: Pair;
  readonly stride: Pair;
  /** before the first row and column */
  readonly padding: Pair;
  /** behind the last row and column: completes the last window, also a partial one */
  readonly paddingAfter: Pair;
}

const ONE: Pair = [1, 1];
const ZERO: Pair = [0, 0];

/** @throws where shapes do not fit each other, with both shapes */
export function convGeometry(
  input: readonly number[],
  filter: readonly number[],
  options: ConvOptions = {},
): ConvGeometry {
  const { stride = ONE, padding = ZERO, dilation = ONE, groups = 1 } = options;
  const where = `conv2d of [${input}] with filter [${filter}]`;
  if (input.length !== 4 || filter.length !== 4) throw new Error(`${where}: both must have four axes, NHWC and HWIO`);
  const [n, h, w, c] = input;
  const [kh, kw, ci, o] = filter;
  if (ci * groups !== c || o % groups !== 0) {
    throw new Error(
      `${where}: ${groups} groups take ${ci * groups} input channels and a multiple of ${groups} outputs`,
    );
  }
  const size = (length: number, k: number, axis: 0 | 1) =>
    Math.floor((length + 2 * padding[axis] - dilation[axis] * (k - 1) - 1) / stride[axis]) + 1;
  const output: Shape4 = [n, size(h, kh, 0), size(w, kw, 1), o];
  if (output[1] < 1 || output[2] < 1) throw new Error(`${where}: the padded input is smaller than the filter`);
  return { input: [n, h, w, c], filter: [kh, kw, ci, o], output, stride, padding, dilation, groups };
}

/** PyTorch's pooling sizes; with `ceil`, the last window must begin inside the input or the padding before it. */
export function poolGeometry(input: readonly number[], options: PoolOptions): PoolGeometry {
  const { kernel, stride = kernel, padding = ZERO, ceil = false } = options;
  const where = `pooling of [${input}] by ${kernel[0]}x${kernel[1]}`;
  if (input.length !== 4) throw new Error(`${where}: expected four axes, NHWC`);
  if (padding[0] * 2 > kernel[0] || padding[1] * 2 > kernel[1]) {
    throw new Error(`${where}: padding ${padding} is more than half the kernel`);
  }
  const [n, h, w, c] = input;
  const size = (length: number, axis: 0 | 1) => {
    const [k, s, p] = [kernel[axis], stride[axis], padding[axis]];
    const steps = (length + 2 * p - k) / s;
    if (!ceil) return Math.floor(steps) + 1;
    const count = Math.ceil(steps) + 1;
    return (count - 1) * s >= length + p ? count - 1 : count;
  };
  const output: Shape4 = [n, size(h, 0), size(w, 1), c];
  if (output[1] < 1 || output[2] < 1) throw new Error(`${where}: the padded input is smaller than the kernel`);
  const after = (axis: 0 | 1) =>
    Math.max((output[axis + 1] - 1) * stride[axis] + kernel[axis] - input[axis + 1] - padding[axis], 0);
  return { input: [n, h, w, c], output, kernel, stride, padding, paddingAfter: [after(0), after(1)] };
}

/** PyTorch's adaptive bins along one axis: [start, end) of each. */
export function adaptiveBins(length: number, count: number): Pair[] {
  return Array.from({ length: count }, (_, i) => [
    Math.floor((i * length) / count),
    Math.ceil(((i + 1) * length) / count),
  ]);
}
