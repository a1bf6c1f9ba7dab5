/** Reading and writing at indices, selection and order. */
import * as tf from '@tensorflow/tfjs-core';
import type { Handle } from '../../../native/addon.ts';
import { aten, device, scalarType, upload } from '../aten.ts';
import { cast, dataOf, exact, h, read, result, type TensorInfo, typeOf } from '../data.ts';
import { unlessStrings } from '../host.ts';
import type { Kernel, Kernels } from '../register.ts';
import { largest } from '../topk.ts';

const reshape = aten('reshape');
const expand = aten('expand');
const indexSelect = aten('index_select');
const gather = aten('gather');
const mul = aten('mul.Tensor');
const sum = aten('sum.dim_IntList');
const zeros = aten('zeros');
const full = aten('full');
const clone = aten('clone');
const indexAdd = aten('index_add_');
const indexCopy = aten('index_copy_');
const where = aten('where.self');
const searchSorted = aten('searchsorted.Tensor');
const unsqueeze = aten('unsqueeze');
const eq = aten('eq.Tensor');
const arange = aten('arange');

const int64 = (handle: Handle): Handle => cast(handle, scalarType.int64);

/** libtorch counts negative indices from the end, tfjs refuses them. */
function checkRange(values: TensorInfo, size: number, name: string): void {
  const all = read(dataOf(values)) as Int32Array;
  for (const index of all) {
    if (index < 0 || index >= size) throw new Error(`${name}: the index value ${index} is not in [0, ${size - 1}]`);
  }
}

const gatherV2: Kernel = ({ x, indices }, { axis, batchDims }) => {
  const at = tf.util.parseAxisParam(axis, x.shape)[0];
  checkRange(indices, x.shape[at], 'GatherV2');
  const info = tf.backend_util.segment_util.collectGatherOpShapeInfo(
    x as tf.Tensor,
    indices as tf.Tensor,
    at,
    batchDims ?? 0,
  );
  const { batchSize, outerSize, dimSize, sliceSize, outputShape } = info;
  if (batchSize === 1) {
    const rows = indexSelect(reshape(h(x), [outerSize, dimSize, sliceSize]), 1, reshape(h(indices), [-1]));
    return result(reshape(rows, outputShape), x.dtype, outputShape);
  }
  const blocks = reshape(h(x), [batchSize, outerSize, dimSize, sliceSize]);
  const places = expand(reshape(int64(h(indices)), [batchSize, 1, -1, 1]), [-1, outerSize, -1, sliceSize]);
  return result(reshape(gather(blocks, 2, places), outputShape), x.dtype, outputShape);
};

/** Rows of indices → positions along the axes that they index, taken as one. */
function flatIndices(indices: TensorInfo, count: number, depth: number, strides: readonly number[]): Handle {
  const rows = reshape(int64(h(indices)), [count, depth]);
  const weights = upload(BigInt64Array.from(strides.slice(0, depth), BigInt), [depth], scalarType.int64);
  return sum(mul(rows, weights), [1], false);
}

const gatherNd: Kernel = ({ params, indices }) => {
  const [shape, count, sliceSize, strides] = tf.backend_util.prepareAndValidate(
    params as tf.Tensor,
    indices as tf.Tensor,
  );
  const depth = indices.shape.at(-1)!;
  const flat = flatIndices(indices, count, depth, strides);
  const rows = indexSelect(reshape(h(params), [-1, sliceSize]), 0, flat);
  return result(reshape(rows, shape), params.dtype, shape);
};

/** Write rows into `target` [places · sliceSize] by `put`. */
function scatter(
  target: Handle,
  indices: TensorInfo,
  updates: TensorInfo,
  shape: number[],
  put: typeof indexAdd,
): Handle {
  const { sliceRank, numUpdates, sliceSize, strides } = tf.backend_util.calculateShapes(
    updates as tf.Tensor,
    indices as tf.Tensor,
    shape,
  );
  const flat = flatIndices(indices, numUpdates, sliceRank, strides);
  const rows = reshape(target, [-1, sliceSize]);
  const values = cast(h(updates), typeOf[updates.dtype]);
  const source =
    tf.util.sizeFromShape(updates.shape) === 1
      ? expand(reshape(values, [1, 1]), [numUpdates, sliceSize])
      : reshape(values, [numUpdates, sliceSize]);
  put(rows, 0, flat, source);
  return reshape(rows, shape);
}

const segmentSum: Kernel = ({ x, segmentIds }, { numSegments }) => {
  const ids = reshape(int64(h(segmentIds)), [-1]);
  const inside = aten('logical_and')(aten('ge.Scalar')(ids, 0), aten('lt.Scalar')(ids, numSegments));
  const spare = full([], numSegments, scalarType.int64, undefined, device); // ids out of range go to a row of their own
  const shape = [numSegments, ...x.shape.slice(segmentIds.shape.length)];
  const rows = zeros([numSegments + 1, ...shape.slice(1)], typeOf[x.dtype], undefined, device);
  indexAdd(rows, 0, where(inside, ids, spare), reshape(exact(x), [-1, ...shape.slice(1)]));
  return result(clone(aten('slice.Tensor')(rows, 0, 0, numSegments)), x.dtype, shape);
};

const select: Kernel = ({ condition, t, e }) => {
  const dtype = tf.upcastType(t.dtype, e.dtype);
  const rows = condition.shape.length === 1 && t.shape.length > 1;
  const mask = rows ? reshape(h(condition), [-1, ...t.shape.slice(1).map(() => 1)]) : h(condition);
  const as = (tensor: TensorInfo): Handle => (tensor.dtype === dtype ? h(tensor) : cast(h(tensor), typeOf[dtype]));
  return result(where(cast(mask, scalarType.bool), as(t), as(e)), dtype, t.shape);
};

const oneHot: Kernel = ({ indices }, { depth, onValue, offValue, dtype }) => {
  const hit = eq(unsqueeze(h(indices), -1), arange(depth, scalarType.int32, undefined, device));
  const type = (dtype ?? 'int32') as tf.DataType;
  const number = (value: number): Handle => full([], value, typeOf[type], undefined, device);
  const values =
    onValue === 1 && offValue === 0 ? cast(hit, typeOf[type]) : where(hit, number(onValue), number(offValue));
  return result(values, type, [...indices.shape, depth]);
};

export const gatherKernels: Kernels = {
  GatherV2: unlessStrings('GatherV2', gatherV2),
  GatherNd: unlessStrings('GatherNd', gatherNd),
  ScatterNd: ({ indices, updates }, { shape }) =>
    result(
      scatter(zeros(shape, typeOf[updates.dtype], undefined, device), indices, updates, shape, indexAdd),
      updates.dtype,
      shape,
    ),
  TensorScatterUpdate: ({ tensor, indices, updates }) =>
    result(scatter(aten('clone')(h(tensor), 0), indices, updates, tensor.shape, indexCopy), tensor.dtype, tensor.shape),
  SparseToDense: unlessStrings('SparseToDense', ({ sparseIndices, sparseValues, defaultValue }, { outputShape }) => {
    const target = clone(expand(reshape(h(defaultValue), [1]), [tf.util.sizeFromShape(outputShape)]), 0);
    return result(
      scatter(target, sparseIndices, sparseValues, outputShape, indexCopy),
      sparseValues.dtype,
      outputShape,
    );
  }),
  UnsortedSegmentSum: segmentSum,
  Select: select,
  OneHot: oneHot,
  TopK: ({ x }, { k }) => {
    const { values, indices } = largest(exact(x), k);
    return [result(values, x.dtype), result(indices, 'int32')];
  },
  SearchSorted: ({ sortedSequence, values }, { side }) =>
    result(searchSorted(exact(sortedSequence), exact(values), true, side === 'right'), 'int32', values.shape),
};
