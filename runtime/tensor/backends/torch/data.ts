/** What a tfjs DataId is on this backend: the object that holds the handle itself, so that nothing is looked up. */
import * as tf from '@tensorflow/tfjs-core';
import type { Handle } from '../../native/addon.ts';
import { addon, aten, keep, scalarType, upload } from './aten.ts';

export type TensorInfo = tf.TensorInfo;

export class TorchData {
  dtype: tf.DataType;
  references = 1;
  strings: Uint8Array[] | null = null;
  /** the same values in the number format of matrix products, where that is another; see precision.ts */
  low: Handle = -1;
  /** the same memory with the axes that libtorch's kernels take, where a kernel made it so; else −1 */
  first: Handle = -1;
  /** the axes of `first` in tfjs's order: of images or of filters */
  back: readonly number[] = IMAGE;
  /** −1: not asked for yet, or the data lives on another backend now; strings have none */
  private own: Handle;

  constructor(handle: Handle, dtype: tf.DataType) {
    this.own = handle;
    this.dtype = dtype;
  }

  /** The tensor with tfjs's axes. */
  get handle(): Handle {
    if (this.own < 0 && this.first >= 0) this.own = keep(permute(this.first, this.back));
    return this.own;
  }

  /** [N, C, H, W] of [N, H, W, C] */
  get image(): Handle {
    return this.first >= 0 && this.back === IMAGE ? this.first : permute(this.handle, CHANNELS_FIRST);
  }

  /** The view that says where the memory is, after letting go of another one. */
  onlyView(): Handle {
    if (this.first < 0) return this.own;
    if (this.own >= 0) addon.release(this.own);
    this.own = -1;
    return this.first;
  }

  /** Put another tensor in the place of this one. */
  replace(handle: Handle): void {
    this.clear();
    this.own = handle;
  }

  /** Put another tensor in the place of this one, with the axes of libtorch's kernels. */
  replaceFirst(first: Handle, back: readonly number[]): void {
    this.clear();
    this.first = first;
    this.back = back;
  }

  get alive(): boolean {
    return this.own >= 0 || this.first >= 0 || this.strings !== null;
  }

  /** Free the memory. */
  clear(): void {
    if (this.own >= 0) addon.release(this.own);
    if (this.first >= 0) addon.release(this.first);
    this.own = -1;
    this.first = -1;
    this.strings = null;
    this.dropLow();
  }

  dropLow(): void {
    if (this.low >= 0) addon.release(this.low);
    this.low = -1;
  }
}

const permute = aten('permute');
const CHANNELS_FIRST = [0, 3, 1, 2];

/** Where tfjs's axes lie in what libtorch takes: [N, H, W, C] in [N, C, H, W], [kh, kw, I, O] in [O, I, kh, kw]. */
export const IMAGE: readonly number[] = [0, 2, 3, 1];
export const FILTER: readonly number[] = [2, 3, 1, 0];

/** Data that came from another backend keeps that backend's DataId. */
const adopted = new WeakMap<object, TorchData>();

export const typeOf: Readonly<Record<string, number>> = {
  float32: scalarType.float32,
  int32: scalarType.int32,
  bool: scalarType.bool,
  complex64: scalarType.complex64,
};

/** @returns null where the data lives on another backend */
export function find(dataId: object): TorchData | null {
  const data = dataId instanceof TorchData ? dataId : adopted.get(dataId);
  return data?.alive ? data : null;
}

export function adopt(dataId: object, made: TorchData): void {
  if (!(dataId instanceof TorchData)) {
    adopted.set(dataId, made);
    return;
  }
  dataId.replace(made.handle);
  dataId.strings = made.strings;
  dataId.references = made.references;
  dataId.dtype = made.dtype;
}

/** The data of a tensor, moved here from another backend if need be. */
export function dataOf(tensor: TensorInfo): TorchData {
  const data = find(tensor.dataId);
  if (data) return data;
  tf.engine().moveData(tf.engine().findBackend('torch'), tensor.dataId);
  const moved = find(tensor.dataId);
  if (!moved) throw new Error(`this ${tensor.dtype} tensor [${tensor.shape}] was disposed of`);
  return moved;
}

export function write(values: tf.BackendValues | null, shape: readonly number[], dtype: tf.DataType): TorchData {
  if (dtype === 'string') {
    const data = new TorchData(-1, dtype);
    data.strings = values as Uint8Array[];
    return data;
  }
  const handle = upload(
    typed(values as tf.TypedArray | null, tf.util.sizeFromShape(shape as number[]), dtype),
    shape,
    typeOf[dtype],
  );
  return new TorchData(keep(handle), dtype);
}

/** As many bytes as the tensor has; numbers outside a dtype's range are wrapped, as tfjs does. */
function typed(values: ArrayLike<number> | null, size: number, dtype: tf.DataType): ArrayBufferView {
  if (values === null)
    return tf.util.makeZerosTypedArray(
      dtype === 'complex64' ? size * 2 : size,
      dtype === 'complex64' ? 'float32' : (dtype as 'float32'),
    );
  if (dtype === 'float32' || dtype === 'complex64')
    return values instanceof Float32Array ? values : Float32Array.from(values);
  if (dtype === 'int32') return values instanceof Int32Array ? values : Int32Array.from(values);
  return Uint8Array.from(values, (value) => (value ? 1 : 0)); // libtorch asks for 0 or 1 in every byte of a bool
}

/** Complex numbers come as pairs. */
export function read(data: TorchData): tf.BackendValues {
  if (data.strings) return data.strings;
  const { dtype } = data;
  const size = addon.shape(data.handle).reduce((a, b) => a * b, 1);
  const handle = addon.scalarType(data.handle) === typeOf[dtype] ? data.handle : cast(data.handle, typeOf[dtype]);
  const values =
    dtype === 'int32'
      ? new Int32Array(size)
      : dtype === 'bool'
        ? new Uint8Array(size)
        : new Float32Array(dtype === 'complex64' ? size * 2 : size);
  addon.readInto(handle, values);
  return values;
}

const toCopy = aten('_to_copy');

export const cast = (handle: Handle, type: number): Handle =>
  addon.scalarType(handle) === type ? handle : toCopy(handle, type);

/** Every tensor of libtorch that holds the values: as tfjs sees them, as images, in another number format. */
export function heldBy(tensor: TensorInfo): Handle[] {
  const { first, handle, low, strings } = dataOf(tensor);
  return strings ? [] : [first >= 0 ? first : handle, low].filter((one) => one >= 0);
}

/** Handle of a tensor in whatever format it is kept. */
export const h = (tensor: TensorInfo): Handle => dataOf(tensor).handle;

/** … in float32 where it is kept in less: for reductions, losses and functions that need the digits. */
export function exact(tensor: TensorInfo): Handle {
  const { handle, dtype } = dataOf(tensor);
  return dtype === 'float32' ? cast(handle, scalarType.float32) : handle;
}

/** Hand out a result. `shape` is looked up where it is not given. */
export function result(handle: Handle, dtype: tf.DataType, shape: number[] = addon.shape(handle)): TensorInfo {
  return handOut(keep(handle), dtype, shape);
}

/** Hand out a result with the axes of libtorch's kernels (`back`: IMAGE or FILTER) as the tensor with tfjs's. */
export function resultFirst(first: Handle, back: readonly number[], dtype: tf.DataType, shape: number[]): TensorInfo {
  const data = new TorchData(-1, dtype);
  data.first = keep(first);
  data.back = back;
  return { dataId: register(data), shape, dtype };
}

/** Hand out a tensor that is not a temporary. */
export function handOut(handle: Handle, dtype: tf.DataType, shape: number[]): TensorInfo {
  return { dataId: register(new TorchData(handle, dtype)), shape, dtype };
}

/** Hand out another reference to the same data. */
export function share(tensor: TensorInfo, shape: number[] = tensor.shape): TensorInfo {
  const data = dataOf(tensor);
  data.references++;
  return { dataId: tensor.dataId, shape, dtype: tensor.dtype };
}

let count = 0;
export const dataCount = (): number => count;
export function register(data: TorchData): TorchData {
  count++;
  return data;
}
export function unregister(): void {
  count--;
}
