/** Kernels that move values: views where libtorch can, copies where a view would keep much more memory alive. */
import * as tf from '@tensorflow/tfjs-core';
import type { Handle } from '../../../native/addon.ts';
import { addon, aten, device, scalarType, upload } from '../aten.ts';
import { cast, exact, h, result, share, type TensorInfo, typeOf } from '../data.ts';
import { onHost, unlessStrings } from '../host.ts';
import type { Kernel, Kernels } from '../register.ts';
import { realPart } from './complex.ts';

const reshape = aten('reshape');
const permute = aten('permute');
const slice = aten('slice.Tensor');
const clone = aten('clone');
const cat = aten('cat');
const unsqueeze = aten('unsqueeze');
const select = aten('select.int');
const repeat = aten('repeat');
const flip = aten('flip');
const pad = aten('constant_pad_nd');
const full = aten('full');
const finite = aten('nan_to_num');
const arange = aten('arange.start_step');
const linspace = aten('linspace');
const indexSelect = aten('index_select');

/** A small part of a large tensor is copied, so that keeping the part does not keep the whole. */
function part(view: Handle, of: TensorInfo): Handle {
  const size = tf.util.sizeFromShape(addon.shape(view));
  return size * 2 < tf.util.sizeFromShape(of.shape) ? clone(view) : view;
}

const castTo: Kernel = ({ x }, { dtype }) => {
  if (dtype === x.dtype) {
    // float32 that is kept in less is asked for in full
    const full = exact(x);
    return full === h(x) ? share(x) : result(full, dtype, x.shape);
  }
  const handle = h(x);
  if (x.dtype === 'complex64') return result(cast(realPart(handle), typeOf[dtype]), dtype, x.shape);
  // as JavaScript stores a number in an Int32Array: what is not finite becomes 0
  const values = dtype === 'int32' && x.dtype === 'float32' ? finite(handle, 0, 0, 0) : handle;
  return result(cast(values, typeOf[dtype]), dtype, x.shape);
};

function sliced(x: TensorInfo, begin: readonly number[], size: readonly number[]): Handle {
  let view = h(x);
  begin.forEach((start, axis) => {
    const length = size[axis] === -1 ? x.shape[axis] - start : size[axis];
    if (start !== 0 || length !== x.shape[axis]) view = slice(view, axis, start, start + length);
  });
  return view === h(x) ? reshape(view, x.shape) : view;
}

const strided: Kernel = ({ x }, attributes) => {
  const { begin, end, strides, beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask } = attributes;
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
  const shape = info.finalShape;
  if (info.isIdentity) return result(reshape(h(x), shape), x.dtype, shape);
  let view = h(x);
  info.begin.forEach((start, axis) => {
    const [step, length] = [info.strides[axis], info.finalShapeSparse[axis]];
    const count =
      info.sliceDim0 || info.isSimpleSlice ? Math.max(Math.ceil((info.end[axis] - start) / step), 0) : length;
    if (step > 0) view = slice(view, axis, start, start + (count - 1) * step + (count > 0 ? 1 : 0), step);
    else {
      // libtorch's slices only go forward
      const first = start + (count - 1) * step;
      view = flip(slice(view, axis, first, start + 1, -step), [axis]);
    }
  });
  return result(reshape(part(view, x), shape), x.dtype, shape);
};

const concat: Kernel = (inputs, { axis }) => {
  const tensors = Object.values(inputs);
  const at = tf.util.parseAxisParam(axis, tensors[0].shape)[0];
  const shapes = tensors.map((tensor) => tensor.shape);
  tf.backend_util.assertParamsConsistent(shapes, at);
  const shape = tf.backend_util.computeOutShape(shapes, at);
  const filled = tensors.filter((tensor) => !tensor.shape.includes(0));
  if (filled.length === 1) return share(filled[0], shape);
  if (filled.length === 0) return share(tensors[0], shape);
  return result(cat(filled.map(h), at), tensors[0].dtype, shape);
};

const pack: Kernel = (inputs, { axis }) => {
  const tensors = Object.values(inputs);
  const same = tensors.every(({ dtype }) => dtype === tensors[0].dtype);
  tf.util.assert(same, () => 'All tensors passed to stack must have matching dtypes');
  return result(
    cat(
      tensors.map((tensor) => unsqueeze(h(tensor), axis)),
      axis,
    ),
    tensors[0].dtype,
  );
};

const unpack: Kernel = ({ value }, { axis }) => {
  const at = axis < 0 ? axis + value.shape.length : axis;
  return Array.from({ length: value.shape[at] }, (_, i) => result(part(select(h(value), at, i), value), value.dtype));
};

const split: Kernel = ({ x }, { numOrSizeSplits, axis }) => {
  const at = tf.util.parseAxisParam(axis, x.shape)[0];
  let start = 0;
  return tf.backend_util.prepareSplitSize(x as tf.Tensor, numOrSizeSplits, at).map((length) => {
    const view = slice(h(x), at, start, start + length);
    start += length;
    return result(part(view, x), x.dtype);
  });
};

/** libtorch counts the axes of a padding from the last. */
const padded = (x: Handle, paddings: readonly (readonly number[])[], value = 0): Handle =>
  pad(x, [...paddings].reverse().flat(), value);

const mirror: Kernel = ({ x }, { paddings, mode }) => {
  const edge = mode === 'reflect' ? 0 : 1;
  let y = h(x);
  x.shape.forEach((length, axis) => {
    const [before, after] = paddings[axis] as [number, number];
    if (before === 0 && after === 0) return;
    const places = Array.from({ length: before + length + after }, (_, i) => {
      const at = i - before;
      if (at < 0) return -at - edge;
      return at < length ? at : (length - 1) * 2 - at + edge;
    });
    y = indexSelect(y, axis, upload(Int32Array.from(places), [places.length], scalarType.int32));
  });
  return result(y, x.dtype);
};

const spaceToBatch: Kernel = ({ x }, { blockShape, paddings }) => {
  const rest = x.shape.slice(1 + blockShape.length).map(() => [0, 0]);
  const wide = padded(h(x), [[0, 0], ...paddings, ...rest]);
  const shape = addon.shape(wide);
  const block = tf.util.sizeFromShape(blockShape);
  const split = tf.backend_util.getReshaped(shape, blockShape, block, false);
  const order = tf.backend_util.getPermuted(split.length, blockShape.length, false);
  const merged = tf.backend_util.getReshapedPermuted(shape, blockShape, block, false);
  return result(reshape(permute(reshape(wide, split), order), merged), x.dtype, merged);
};

const batchToSpace: Kernel = ({ x }, { blockShape, crops }) => {
  const block = tf.util.sizeFromShape(blockShape);
  const split = tf.backend_util.getReshaped(x.shape, blockShape, block);
  const order = tf.backend_util.getPermuted(split.length, blockShape.length);
  const merged = tf.backend_util.getReshapedPermuted(x.shape, blockShape, block);
  let y = reshape(permute(reshape(h(x), split), order), merged);
  const begin = tf.backend_util.getSliceBeginCoords(crops, blockShape.length);
  tf.backend_util.getSliceSize(merged, crops, blockShape.length).forEach((length, axis) => {
    y = slice(y, axis, begin[axis], begin[axis] + length);
  });
  return result(y, x.dtype);
};

const depthToSpace: Kernel = ({ x }, { blockSize, dataFormat }) => {
  if (dataFormat !== 'NHWC') throw new Error(`depthToSpace: only NHWC is supported, got ${dataFormat}`);
  const [n, height, width, depth] = x.shape;
  const out = depth / (blockSize * blockSize);
  const blocks = permute(reshape(h(x), [n, height, width, blockSize, blockSize, out]), [0, 1, 3, 2, 4, 5]);
  return result(reshape(blocks, [n, height * blockSize, width * blockSize, out]), x.dtype);
};

const range: Kernel = (_, { start, stop, step, dtype }) => {
  const empty = start === stop || (start < stop && step < 0) || (stop < start && step > 1);
  const count = empty ? 0 : Math.abs(Math.ceil((stop - start) / step));
  const signed = stop < start && step === 1 ? -1 : step; // tfjs: a step of 1 goes down where the range does
  return result(arange(start, start + count * signed, signed, typeOf[dtype], undefined, device), dtype, [count]);
};

const fillOnHost = onHost('Fill');

export const shapeKernels: Kernels = {
  Identity: ({ x }) => share(x),
  Cast: unlessStrings('Cast', castTo),
  Reshape: ({ x }, { shape }) => {
    const to = tf.util.inferFromImplicitShape(shape, tf.util.sizeFromShape(x.shape));
    if (x.dtype === 'string' || tf.util.arraysEqual(to, x.shape)) return share(x, to);
    return result(reshape(h(x), to), x.dtype, to);
  },
  ExpandDims: ({ input }, { dim }) => {
    const rank = input.shape.length;
    tf.util.assert(
      dim >= -(rank + 1) && dim <= rank,
      () => `expandDims: axis ${dim} is not in [${-(rank + 1)}, ${rank}]`,
    );
    const at = dim < 0 ? dim + rank + 1 : dim;
    const shape = input.shape.slice();
    shape.splice(at, 0, 1);
    return input.dtype === 'string' ? share(input, shape) : result(unsqueeze(h(input), at), input.dtype, shape);
  },
  Transpose: unlessStrings('Transpose', ({ x }, { perm }) => result(permute(h(x), perm), x.dtype)),
  Slice: unlessStrings('Slice', ({ x }, { begin, size }) => {
    const [from, lengths] = tf.slice_util.parseSliceParams(x as tf.Tensor, begin, size);
    tf.slice_util.assertParamsValid(x as tf.Tensor, from, lengths);
    return result(part(sliced(x, from, lengths), x), x.dtype, lengths);
  }),
  StridedSlice: unlessStrings('StridedSlice', strided),
  Concat: unlessStrings('Concat', concat),
  Pack: unlessStrings('Pack', pack),
  Unpack: unlessStrings('Unpack', unpack),
  SplitV: unlessStrings('SplitV', split),
  Tile: unlessStrings('Tile', ({ x }, { reps }) => result(repeat(h(x), reps), x.dtype)),
  Reverse: unlessStrings('Reverse', ({ x }, { dims }) =>
    result(flip(h(x), tf.util.parseAxisParam(dims, x.shape)), x.dtype, x.shape),
  ),
  PadV2: unlessStrings('PadV2', ({ x }, { paddings, constantValue }) =>
    result(padded(h(x), paddings, constantValue), x.dtype),
  ),
  MirrorPad: mirror,
  SpaceToBatchND: spaceToBatch,
  BatchToSpaceND: batchToSpace,
  DepthToSpace: depthToSpace,
  Fill: (_, { shape, value, dtype }) => {
    if (typeof value === 'string') return fillOnHost({}, { shape, value, dtype });
    const type = (dtype ?? 'float32') as tf.DataType;
    return result(full(shape, value, typeOf[type], undefined, device), type, shape);
  },
  ZerosLike: unlessStrings('ZerosLike', ({ x }) => result(aten('zeros_like')(h(x), typeOf[x.dtype]), x.dtype, x.shape)),
  OnesLike: ({ x }) => {
    if (x.dtype === 'string') throw new Error('onesLike is not supported for string tensors');
    return result(aten('ones_like')(h(x), typeOf[x.dtype]), x.dtype, x.shape);
  },
  Range: range,
  LinSpace: (_, { start, stop, num }) =>
    result(linspace(start, stop, num, scalarType.float32, undefined, device), 'float32', [num]),
  Diag: ({ x }) => result(reshape(aten('diag_embed')(reshape(h(x), [-1])), [...x.shape, ...x.shape]), x.dtype),
  FlipLeftRight: ({ image }) => result(flip(h(image), [2]), image.dtype, image.shape),
};
