import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '../types.ts';
import type { Attributes, Gradient } from './register.ts';

const { reshape } = tf;

const named = (tensors: readonly (() => Tensor)[]) => Object.fromEntries(tensors.map((t, i) => [i, t]));

function pieces(dy: Tensor, inputs: Tensor[], axis: number): (() => Tensor)[] {
  let start = 0;
  return inputs.map((input) => {
    const begin = dy.shape.map(() => 0);
    begin[axis] = start;
    start += input.shape[axis];
    return () => tf.slice(dy, begin, input.shape);
  });
}

function padding(begin: number[], x: Tensor, dy: Tensor): [number, number][] {
  return begin.map((b, i) => [b, x.shape[i] - b - dy.shape[i]]);
}

/** Sum of the copies that tile made, axis by axis: the WebGPU kernels stop at six axes. */
function untile(dy: Tensor, x: Tensor, reps: number[]): Tensor {
  let sums = dy;
  reps.forEach((copies, axis) => {
    if (copies === 1) return;
    const outer = size(x.shape.slice(0, axis));
    sums = tf.sum(reshape(sums, [outer, copies, -1]), 1);
  });
  return reshape(sums, x.shape);
}

/** Rows of dy added up by the index they were gathered with. */
function ungather(dy: Tensor, x: Tensor, indices: Tensor, { axis, batchDims }: Attributes): Tensor {
  const at = tf.util.parseAxisParam(axis, x.shape)[0];
  const flat = tf.cast(reshape(indices, [-1]), 'int32') as tf.Tensor1D;
  const inner = x.shape.slice(at + 1);
  const outer = x.shape.slice(0, at);
  if (!batchDims) {
    const k = indices.size;
    const rows = reshape(tf.transpose(reshape(dy, [size(outer), k, size(inner)]), [1, 0, 2]), [k, -1]);
    const sums = reshape(tf.unsortedSegmentSum(rows, flat, x.shape[at]), [x.shape[at], size(outer), size(inner)]);
    return reshape(tf.transpose(sums, [1, 0, 2]), x.shape);
  }
  // batched indices become indices into one long list of rows: one list of x.shape[at] rows per batch and outer place
  const batches = size(x.shape.slice(0, batchDims));
  const between = size(outer) / batches;
  const perBatch = indices.size / batches;
  const offset = reshape(tf.range(0, batches * between, 1, 'int32'), [batches, between, 1]);
  const ids = tf.add(tf.mul(offset, tf.scalar(x.shape[at], 'int32')), reshape(flat, [batches, 1, perBatch]));
  const rows = reshape(dy, [batches * between * perBatch, size(inner)]);
  return reshape(tf.unsortedSegmentSum(rows, reshape(ids, [-1]) as tf.Tensor1D, size(outer) * x.shape[at]), x.shape);
}

const size = tf.util.sizeFromShape;

/** The middle of dy, and what its mirrored edges add, axis by axis. tfjs's own gradient leaves the edges out. */
function unmirrored(dy: Tensor, x: Tensor, { paddings, mode }: Attributes): Tensor {
  const offset = mode === 'reflect' ? 1 : 0;
  return (paddings as [number, number][]).reduce((folded, [before, after], axis) => {
    const length = x.shape[axis];
    const part = (begin: number, count: number): Tensor =>
      tf.slice(
        folded,
        folded.shape.map((_, i) => (i === axis ? begin : 0)),
        folded.shape.map((all, i) => (i === axis ? count : all)),
      );
    const placed = (edge: Tensor, at: number): Tensor =>
      tf.pad(
        tf.reverse(edge, axis),
        edge.shape.map((count, i): [number, number] => (i === axis ? [at, length - at - count] : [0, 0])),
      );
    const middle = part(before, length);
    const left = before > 0 ? tf.add(middle, placed(part(0, before), offset)) : middle;
    return after > 0 ? tf.add(left, placed(part(before + length, after), length - offset - after)) : left;
  }, dy);
}

/** Places of the values that a slice with steps takes, in their order. */
function taken(x: Tensor, { begin, end, strides, beginMask, endMask, ...masks }: Attributes): tf.Tensor1D {
  const { ellipsisMask, newAxisMask, shrinkAxisMask } = masks;
  const info = tf.slice_util.sliceInfo(
    x.shape,
    begin,
    end,
    strides,
    beginMask,
    endMask,
    ellipsisMask,
    newAxisMask,
    shrinkAxisMask,
  );
  let places = [0];
  for (const [axis, count] of info.finalShapeSparse.entries()) {
    const along = Array.from({ length: count }, (_, i) => info.begin[axis] + i * info.strides[axis]);
    places = places.flatMap((place) => along.map((at) => place * x.shape[axis] + at));
  }
  return tf.tensor1d(places, 'int32');
}

export const shapeGradients: Record<string, Gradient> = {
  MirrorPad: { inputs: ['x'], grad: (dy, [x], attributes) => ({ x: () => unmirrored(dy, x, attributes) }) },
  StridedSlice: {
    inputs: ['x'],
    grad: (dy, [x], attributes) => ({
      x: () => reshape(tf.unsortedSegmentSum(reshape(dy, [-1]), taken(x, attributes), x.size), x.shape),
    }),
  },
  Reshape: { inputs: ['x'], grad: (dy, [x]) => ({ x: () => reshape(dy, x.shape) }) },
  ExpandDims: { inputs: ['input'], grad: (dy, [input]) => ({ input: () => reshape(dy, input.shape) }) },
  Transpose: {
    grad: (dy, _saved, { perm }) => ({ x: () => tf.transpose(dy, tf.backend_util.getUndoAxesPermutation(perm)) }),
  },
  Concat: {
    allInputs: true,
    grad: (dy, inputs, { axis }) => named(pieces(dy, inputs, tf.util.parseAxisParam(axis, inputs[0].shape)[0])),
  },
  Pack: { grad: (dy, _saved, { axis }) => named(tf.unstack(dy, axis).map((t) => () => t)) },
  Unpack: { grad: (dy, _saved, { axis }) => ({ value: () => tf.stack(dy, axis) }) },
  SplitV: { grad: (dy, _saved, { axis }) => ({ x: () => tf.concat(dy, axis) }) },
  Slice: { inputs: ['x'], grad: (dy, [x], { begin }) => ({ x: () => tf.pad(dy, padding(begin, x, dy)) }) },
  PadV2: {
    inputs: ['x'],
    grad: (dy, [x], { paddings }) => ({
      x: () =>
        tf.slice(
          dy,
          paddings.map((p: number[]) => p[0]),
          x.shape,
        ),
    }),
  },
  Reverse: { grad: (dy, _saved, { dims }) => ({ x: () => tf.reverse(dy, dims) }) },
  Tile: { inputs: ['x'], grad: (dy, [x], { reps }) => ({ x: () => untile(dy, x, reps) }) },
  GatherV2: {
    inputs: ['x', 'indices'],
    grad: (dy, [x, indices], attributes) => ({
      x: () => ungather(dy, x, indices, attributes),
      indices: () => tf.zeros(indices.shape),
    }),
  },
  GatherNd: {
    inputs: ['params', 'indices'],
    grad: (dy, [params, indices]) => ({
      params: () => tf.scatterND(tf.cast(indices, 'int32'), dy, params.shape),
      indices: () => tf.zeros(indices.shape),
    }),
  },
  ScatterNd: {
    inputs: ['indices'],
    grad: (dy, [indices]) => ({
      indices: () => tf.zeros(indices.shape),
      updates: () => tf.gatherND(dy, tf.cast(indices, 'int32')),
    }),
  },
  UnsortedSegmentSum: {
    inputs: ['segmentIds'],
    grad: (dy, [ids]) => ({
      x: () => {
        const counted = tf.reshape(tf.cast(tf.greaterEqual(ids, 0), 'float32'), [
          -1,
          ...dy.shape.slice(1).map(() => 1),
        ]);
        return tf.mul(tf.gather(dy, tf.maximum(ids, tf.scalar(0, 'int32'))), counted);
      },
      segmentIds: () => tf.zeros(ids.shape),
    }),
  },
  SpaceToBatchND: {
    grad: (dy, _saved, { blockShape, paddings }) => ({ x: () => tf.batchToSpaceND(dy, blockShape, paddings) }),
  },
  BatchToSpaceND: {
    grad: (dy, _saved, { blockShape, crops }) => ({ x: () => tf.spaceToBatchND(dy, blockShape, crops) }),
  },
};
