/** Tensors of a PyTorch file: views on storages whose bytes are read when asked for. */
import { TorchFileError } from './error.ts';

/** dtype → bytes per element */
export const TORCH_BYTES = {
  float32: 4,
  float64: 8,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
  complex64: 8,
  complex128: 16,
} as const;

export type TorchDtype = keyof typeof TORCH_BYTES;

export class TorchStorage {
  /** equal for tensors that share memory */
  readonly key: string;
  /** undefined: bytes without a type of their own */
  readonly dtype: TorchDtype | undefined;
  readonly bytes: number;
  readonly #read: () => Promise<Uint8Array>;

  constructor(key: string, dtype: TorchDtype | undefined, bytes: number, read: () => Promise<Uint8Array>) {
    this.key = key;
    this.dtype = dtype;
    this.bytes = bytes;
    this.#read = read;
  }

  /** little-endian */
  async read(): Promise<Uint8Array> {
    const bytes = await this.#read();
    if (bytes.length === this.bytes) return bytes;
    throw new TorchFileError(`the storage ${this.key} has ${bytes.length} bytes instead of ${this.bytes}`);
  }
}

/** Values of a tensor: bigint for int64, 0 and 1 for bool. */
export type TorchValues =
  | Float32Array
  | Float64Array
  | BigInt64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint8Array;

export class TorchTensor {
  readonly dtype: TorchDtype;
  readonly shape: readonly number[];
  readonly stride: readonly number[];
  /** elements of the storage before the first one */
  readonly offset: number;
  readonly storage: TorchStorage;
  readonly requiresGrad: boolean;
  /** torch.nn.Parameter */
  readonly isParameter: boolean;

  /** @throws TorchFileError when it reaches beyond its storage */
  constructor(facts: {
    dtype: TorchDtype;
    shape: readonly number[];
    stride: readonly number[];
    offset: number;
    storage: TorchStorage;
    requiresGrad: boolean;
    isParameter: boolean;
  }) {
    const { shape, stride, offset, storage, dtype } = facts;
    if (shape.length !== stride.length) throw new TorchFileError(`a tensor [${shape}] has the strides [${stride}]`);
    for (const n of [offset, ...shape, ...stride]) {
      if (!Number.isSafeInteger(n) || n < 0) throw new TorchFileError(`a tensor has ${n} among its sizes`);
    }
    const last = shape.reduce((at, size, i) => at + (size - 1) * stride[i], offset);
    const some = shape.every((size) => size > 0);
    if (some && (last + 1) * TORCH_BYTES[dtype] > storage.bytes) {
      throw new TorchFileError(`a tensor [${shape}] reaches beyond its storage of ${storage.bytes} bytes`);
    }
    this.dtype = dtype;
    this.shape = shape;
    this.stride = stride;
    this.offset = offset;
    this.storage = storage;
    this.requiresGrad = facts.requiresGrad;
    this.isParameter = facts.isParameter;
  }

  get size(): number {
    return this.shape.reduce((product, n) => product * n, 1);
  }

  /** In the order of the shape, whatever the strides. float16 and bfloat16 become float32. */
  async values(): Promise<TorchValues> {
    const { size, storage, dtype } = this;
    // without strides of 0 a tensor is no larger than its storage
    if (size > LARGEST_EXPANDED && size * TORCH_BYTES[dtype] > storage.bytes) {
      throw new TorchFileError(`a tensor [${this.shape}] is far larger than its ${storage.bytes} bytes`);
    }
    const typed = typedValues(await storage.read(), dtype);
    if (this.#contiguous()) return typed.slice(this.offset, this.offset + size);
    const result = new (typed.constructor as new (length: number) => TorchValues)(size);
    const index = this.shape.map(() => 0);
    let from = this.offset;
    for (let i = 0; i < size; i++) {
      result[i] = typed[from];
      for (let axis = index.length - 1; axis >= 0; axis--) {
        from += this.stride[axis];
        if (++index[axis] < this.shape[axis]) break;
        from -= this.stride[axis] * this.shape[axis];
        index[axis] = 0;
      }
    }
    return result;
  }

  #contiguous(): boolean {
    let expected = 1;
    for (let axis = this.shape.length - 1; axis >= 0; axis--) {
      if (this.shape[axis] > 1 && this.stride[axis] !== expected) return false;
      expected *= this.shape[axis];
    }
    return true;
  }
}

const LARGEST_EXPANDED = 2 ** 28;

/** Little-endian bytes as numbers. @throws TorchFileError for complex numbers */
export function typedValues(bytes: Uint8Array, dtype: TorchDtype): TorchValues {
  // views need alignment: the bytes get a buffer of their own where they lie askew
  const aligned = bytes.byteOffset % TORCH_BYTES[dtype] === 0 ? bytes : bytes.slice();
  const { buffer, byteOffset } = aligned;
  const length = Math.floor(aligned.byteLength / TORCH_BYTES[dtype]);
  switch (dtype) {
    case 'float32':
      return new Float32Array(buffer, byteOffset, length);
    case 'float64':
      return new Float64Array(buffer, byteOffset, length);
    case 'float16':
      return Float32Array.from(new Uint16Array(buffer, byteOffset, length), halfToFloat);
    case 'bfloat16':
      return new Float32Array(
        Uint32Array.from(new Uint16Array(buffer, byteOffset, length), (half) => half << 16).buffer,
      );
    case 'int64':
      return new BigInt64Array(buffer, byteOffset, length);
    case 'int32':
      return new Int32Array(buffer, byteOffset, length);
    case 'int16':
      return new Int16Array(buffer, byteOffset, length);
    case 'int8':
      return new Int8Array(buffer, byteOffset, length);
    case 'uint8':
    case 'bool':
      return new Uint8Array(buffer, byteOffset, length);
    default:
      throw new TorchFileError(`values of ${dtype} are not supported`);
  }
}

/** IEEE 754 binary16 → number. */
function halfToFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
