/** NumPy's .npy files, format 1.0: a header of text, then the values, row after row. */
import { diskFiles, writeDurably } from '../train/files.ts';

export interface NpyArray {
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array | BigInt64Array;
}

export async function writeNpy(path: string, { shape, values }: NpyArray): Promise<void> {
  const size = shape.reduce((product, n) => product * n, 1);
  if (size !== values.length) throw new Error(`${path}: ${values.length} values are no array of shape [${shape}]`);
  await writeDurably(diskFiles, path, Buffer.concat([npyHead(shape, values), bytesOf(values)]));
}

function npyHead(shape: readonly number[], values: NpyArray['values']): Buffer {
  const descr = values instanceof Float32Array ? '<f4' : values instanceof Int32Array ? '<i4' : '<i8';
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`;
  // the values begin at a multiple of 64 bytes
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const head = Buffer.alloc(10 + length, ' ');
  head.write('\x93NUMPY\x01\x00', 0, 'latin1');
  head.writeUInt16LE(length, 8);
  head.write(text, 10, 'latin1');
  head.write('\n', 9 + length, 'latin1');
  return head;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
