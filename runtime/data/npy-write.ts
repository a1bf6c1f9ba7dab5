/** NumPy's .npy files, format 1.0: a header of text, then the values, row after row. */
import { diskFiles, writeDurably } from '../train/files.ts';

/** A list of texts, as NumPy's array of str. */
export async function writeNpyStrings(path: string, texts: readonly string[]): Promise<void> {
  const points = texts.map((text) => Array.from(text, (c) => c.codePointAt(0)!));
  const longest = Math.max(1, ...points.map((own) => own.length));
  const values = Buffer.alloc(texts.length * longest * 4);
  points.forEach((own, i) => {
    own.forEach((point, k) => {
      values.writeUInt32LE(point, (i * longest + k) * 4);
    });
  });
  await writeDurably(diskFiles, path, Buffer.concat([head(`<U${longest}`, [texts.length]), values]));
}

export interface NpyArray {
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array | BigInt64Array;
}

export async function writeNpy(path: string, { shape, values }: NpyArray): Promise<void> {
  const size = shape.reduce((product, n) => product * n, 1);
  if (size !== values.length) throw new Error(`${path}: ${values.length} values are no array of shape [${shape}]`);
  await writeDurably(diskFiles, path, Buffer.concat([head(descrOf(values), shape), bytesOf(values)]));
}

const descrOf = (values: NpyArray['values']): string =>
  values instanceof Float32Array ? '<f4' : values instanceof Int32Array ? '<i4' : '<i8';

function head(descr: string, shape: readonly number[]): Buffer {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`;
  // the values begin at a multiple of 64 bytes
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const bytes = Buffer.alloc(10 + length, ' ');
  bytes.write('\x93NUMPY\x01\x00', 0, 'latin1');
  bytes.writeUInt16LE(length, 8);
  bytes.write(text, 10, 'latin1');
  bytes.write('\n', 9 + length, 'latin1');
  return bytes;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
