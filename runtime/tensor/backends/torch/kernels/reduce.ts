/** Reductions, scans and orderings; sums and means of bfloat16 are taken in float32. */
import * as tf from '@tensorflow/tfjs-core';
import type { Handle } from '../../../native/addon.ts';
import { aten, scalarType } from '../aten.ts';
import { cast, exact, h, result, share, typeOf } from '../data.ts';
import type { Attributes, Kernel, Kernels } from '../register.ts';

const sum = aten('sum.dim_IntList');
const mean = aten('mean.dim');
const amax = aten('amax');
const amin = aten('amin');
const prod = aten('prod.dim_int');
const all = aten('all.dim');
const any = aten('any.dim');
const argmax = aten('argmax');
const argmin = aten('argmin');
const full = aten('full');

/** `type`: of the result, and of the work */
type Reduce = (x: Handle, axes: number[], keepDims: boolean, type: number) => Handle;

/** tfjs calls the axes `axis`, Max also `reductionIndices`. Without axes, nothing is reduced. */
function reduction(reduce: Reduce, dtype: (from: tf.DataType) => tf.DataType, empty?: number): Kernel {
  return ({ x }, { axis, reductionIndices, keepDims = false }: Attributes) => {
    const axes = tf.util.parseAxisParam(axis ?? reductionIndices, x.shape);
    const to = dtype(x.dtype);
    if (axes.length === 0) return x.dtype === to ? share(x) : result(cast(h(x), typeOf[to]), to, x.shape);
    if (empty !== undefined && x.shape.includes(0)) {
      const [kept, reduced] = tf.backend_util.computeOutAndReduceShapes(x.shape, axes);
      if (reduced.includes(0))
        return result(full(keepDims ? tf.backend_util.expandShapeToKeepDim(kept, axes) : kept, empty, typeOf[to]), to);
    }
    return result(cast(reduce(h(x), axes, keepDims, typeOf[to]), typeOf[to]), to);
  };
}

/** For operators that take one axis at a time: from the last, so that the others keep their places. */
const axisByAxis =
  (reduce: (x: Handle, axis: number, keepDims: boolean) => Handle): Reduce =>
  (x, axes, keepDims) => {
    let y = x;
    for (const axis of [...axes].sort((a, b) => b - a)) y = reduce(y, axis, keepDims);
    return y;
  };

const same = (dtype: tf.DataType): tf.DataType => dtype;
const summed = (dtype: tf.DataType): tf.DataType => (dtype === 'bool' ? 'int32' : dtype);

const finite = aten('nan_to_num');

/** NaN is never the largest or smallest, as in tfjs. */
function argument(find: Find, worst: number): Kernel {
  return ({ x }, { axis }) => {
    const [at] = tf.util.parseAxisParam(axis, x.shape);
    const values =
      x.dtype === 'float32'
        ? finite(h(x), worst, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY)
        : cast(h(x), scalarType.int32);
    return result(cast(find(values, at, false), scalarType.int32), 'int32');
  };
}
type Find = (x: Handle, axis: number, keepDims: boolean) => Handle;

const flip = aten('flip');
const slice = aten('slice.Tensor');
const cat = aten('cat');
const onesLike = aten('ones_like');
const zerosLike = aten('zeros_like');

/** Running sums and products; `exclusive` leaves the element itself out, `reverse` begins at the end. */
function scan(run: (x: Handle, axis: number, type: number) => Handle, start: (x: Handle) => Handle): Kernel {
  return ({ x }, { axis, exclusive, reverse }) => {
    const at = tf.util.parseAxisParam(axis, x.shape)[0] ?? 0;
    const type = x.dtype === 'bool' ? 'int32' : x.dtype;
    let y: Handle = x.dtype === 'float32' ? exact(x) : h(x);
    if (reverse) y = flip(y, [at]);
    if (exclusive) {
      const first = slice(y, at, 0, 1);
      y = cat([start(first), slice(y, at, 0, x.shape[at] - 1)], at);
    }
    y = run(y, at, typeOf[type]);
    return result(reverse ? flip(y, [at]) : y, type, x.shape);
  };
}

const softmax = aten('_softmax');

export const reduceKernels: Kernels = {
  Sum: reduction((x, axes, keepDims, type) => sum(x, axes, keepDims, type), summed, 0),
  Mean: reduction(
    (x, axes, keepDims, type) => mean(x, axes, keepDims, type),
    () => 'float32',
  ),
  Max: reduction((x, axes, keepDims) => amax(x, axes, keepDims), same, Number.NEGATIVE_INFINITY),
  Min: reduction((x, axes, keepDims) => amin(x, axes, keepDims), same, Number.POSITIVE_INFINITY),
  Prod: reduction(
    (x, axes, keepDims, type) => axisByAxis((y, axis) => prod(y, axis, keepDims, type))(x, axes, keepDims, type),
    summed,
    1,
  ),
  All: reduction(axisByAxis(all as never), () => 'bool', 1),
  Any: reduction(axisByAxis(any as never), () => 'bool', 0),
  ArgMax: argument(argmax as Find, Number.NEGATIVE_INFINITY),
  ArgMin: argument(argmin as Find, Number.POSITIVE_INFINITY),
  Cumsum: scan(aten('cumsum') as never, zerosLike as never),
  Cumprod: scan(aten('cumprod') as never, onesLike as never),
  Softmax: ({ logits }, { dim }) => result(softmax(exact(logits), dim, false), 'float32', logits.shape),
};
