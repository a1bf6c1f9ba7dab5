/**
 * Safetensors files: written and read one tensor at a time, so that a model of any size needs the memory of its largest
 * tensor. Format: https://huggingface.co/docs/safetensors. A file is checked in full before a byte of it is used.
 */
import { createHash } from 'node:crypto';
import { diskFiles, type Files } from './files.ts';
import {
  decodeHeader,
  ELEMENT_BYTES,
  type ElementType,
  elements,
  encodeHeader,
  type Header,
  MAX_HEADER_BYTES,
  SafetensorsError,
  type TensorInfo,
} from './safetensors-header.ts';

type Bytes = Float32Array | Int32Array | Uint8Array;

export interface TensorSource {
  readonly name: string;
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  /** asked for when its turn comes */
  read(): Bytes | Promise<Bytes>;
}

export interface WrittenFile {
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * Write tensors (largest element first, then by name: every tensor is aligned and the bytes depend on nothing but the
 * content) and have the file on disk.
 */
export async function writeSafetensors(
  path: string,
  tensors: Iterable<TensorSource>,
  metadata: Readonly<Record<string, string>> = {},
  files: Files = diskFiles,
): Promise<WrittenFile> {
  const sorted = [...tensors].sort(
    (a, b) => ELEMENT_BYTES[b.dtype] - ELEMENT_BYTES[a.dtype] || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  );
  const entries = new Map<string, TensorInfo>();
  let at = 0;
  for (const { name, dtype, shape } of sorted) {
    if (entries.has(name)) throw new SafetensorsError(`${path}: two tensors are named ${name}`);
    const end = at + elements(shape) * ELEMENT_BYTES[dtype];
    entries.set(name, { dtype, shape, begin: at, end });
    at = end;
  }
  const header = encodeHeader({ metadata, tensors: entries });
  const hash = createHash('sha256');
  const handle = await files.open(path, 'w');
  try {
    const put = async (bytes: Uint8Array): Promise<void> => {
      hash.update(bytes);
      await handle.writeFile(bytes);
    };
    await put(header);
    for (const source of sorted) {
      const info = entries.get(source.name)!;
      const data = await source.read();
      if (data.byteLength !== info.end - info.begin) {
        throw new SafetensorsError(
          `${path}: ${source.name} has ${data.byteLength} bytes; shape [${info.shape}] and dtype ${info.dtype} ask for ${info.end - info.begin}`,
        );
      }
      await put(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  return { bytes: header.byteLength + at, sha256: hash.digest('hex') };
}

export interface SafetensorsFile extends Header {
  /** the tensor's bytes, little-endian; @throws RangeError when there is no such tensor */
  read(name: string): Promise<Uint8Array>;
  /** as float32: F32, F16, BF16 and F64 are converted; @throws SafetensorsError for other dtypes */
  readFloats(name: string): Promise<Float32Array>;
  close(): Promise<void>;
}

/** Open a file and check its header. @throws SafetensorsError */
export async function openSafetensors(path: string, files: Files = diskFiles): Promise<SafetensorsFile> {
  const handle = await files.open(path, 'r');
  const readAt = async (position: number, length: number): Promise<Uint8Array<ArrayBuffer>> => {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      const { bytesRead } = await handle.read(bytes, at, Math.min(length - at, 1 << 30), position + at);
      if (bytesRead === 0) throw new SafetensorsError(`${path}: the file ends at byte ${position + at}`);
      at += bytesRead;
    }
    return bytes;
  };
  try {
    const { size } = await handle.stat();
    if (size < 8) throw new SafetensorsError(`${path}: not a valid safetensors file: it has ${size} bytes`);
    const length = new DataView((await readAt(0, 8)).buffer).getBigUint64(0, true);
    if (length > BigInt(MAX_HEADER_BYTES) || length > BigInt(size - 8)) {
      throw new SafetensorsError(
        `${path}: not a valid safetensors file: its header would have ${length} bytes, the file has ${size}`,
      );
    }
    const start = 8 + Number(length);
    const header = decodeHeader(new TextDecoder().decode(await readAt(8, Number(length))), size - start, path);
    const find = (name: string): TensorInfo => {
      const info = header.tensors.get(name);
      if (!info) throw new RangeError(`${path} has no tensor ${name}`);
      return info;
    };
    const read = (name: string): Promise<Uint8Array<ArrayBuffer>> => {
      const { begin, end } = find(name);
      return readAt(start + begin, end - begin);
    };
    return {
      ...header,
      read,
      async readFloats(name) {
        const { dtype } = find(name);
        return toFloats(await read(name), dtype, `${path}: ${name}`);
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function toFloats(bytes: Uint8Array<ArrayBuffer>, dtype: ElementType, what: string): Float32Array {
  if (dtype === 'F32') return new Float32Array(bytes.buffer);
  if (dtype === 'F64') return Float32Array.from(new Float64Array(bytes.buffer));
  if (dtype === 'BF16') {
    const halves = new Uint16Array(bytes.buffer);
    return new Float32Array(Uint32Array.from(halves, (half) => half << 16).buffer);
  }
  if (dtype === 'F16') return Float32Array.from(new Uint16Array(bytes.buffer), halfToFloat);
  throw new SafetensorsError(`${what} has dtype ${dtype}, which is not a floating-point one`);
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
