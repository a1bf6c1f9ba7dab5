/** Labels and paths from .npy files, straight into shared memory. */
import { readFile } from 'node:fs/promises';
import { eachItem, type NpyHeader, readNpyHeader, withFile } from './npy.ts';
import { pickledStrings } from './pickled-strings.ts';
import { type StringTable, StringTableBuilder } from './string-table.ts';

export interface LabelFile {
  /** row by row */
  readonly values: Int32Array;
  readonly rows: number;
  /** numbers per row; 1 for a list */
  readonly columns: number;
}

/** Whole numbers of a .npy file of one or two dimensions, as int32. Throws an Error that names the file. */
export async function readNpyLabels(file: string): Promise<LabelFile> {
  return withFile(file, async (handle) => {
    const header = await readNpyHeader(handle, file);
    const { shape, fortran } = header;
    const [rows = 0, columns = 1] = shape;
    if (shape.length < 1 || shape.length > 2 || (fortran && columns !== 1)) {
      throw new Error(
        `${file} has the shape (${shape.join(', ')})${fortran ? ' in Fortran order' : ''}; labels are a list or rows`,
      );
    }
    const read = numberReader(header, file);
    const values = new Int32Array(new SharedArrayBuffer(rows * columns * 4));
    let at = 0;
    await eachItem(handle, header, file, (bytes) => {
      const value = read(bytes);
      if (!Number.isInteger(value) || Math.abs(value) > 0x7fffffff) {
        throw new Error(`${file}: value ${at} is ${value}; labels are whole numbers of 32 bits`);
      }
      values[at++] = value;
    });
    return { values, rows, columns };
  });
}

/** How one number of such a file is read. Throws an Error when they are not numbers. */
export function numberReader({ kind, itemBytes, littleEndian }: NpyHeader, file: string): (bytes: Buffer) => number {
  const view = (bytes: Buffer) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  switch (`${kind}${itemBytes}`) {
    case 'b1':
    case 'u1':
      return (bytes) => bytes[0];
    case 'i1':
      return (bytes) => bytes.readInt8();
    case 'u2':
      return (bytes) => view(bytes).getUint16(0, littleEndian);
    case 'i2':
      return (bytes) => view(bytes).getInt16(0, littleEndian);
    case 'u4':
      return (bytes) => view(bytes).getUint32(0, littleEndian);
    case 'i4':
      return (bytes) => view(bytes).getInt32(0, littleEndian);
    case 'u8':
      return (bytes) => Number(view(bytes).getBigUint64(0, littleEndian));
    case 'i8':
      return (bytes) => Number(view(bytes).getBigInt64(0, littleEndian));
    case 'f4':
      return (bytes) => view(bytes).getFloat32(0, littleEndian);
    case 'f8':
      return (bytes) => view(bytes).getFloat64(0, littleEndian);
    default:
      throw new Error(`${file} holds values of type ${kind}${itemBytes}; labels are whole numbers`);
  }
}

/** Texts of a .npy file: arrays of str or bytes, or a pickled list of str. Throws an Error that names the file. */
export async function readNpyStrings(file: string): Promise<StringTable> {
  return withFile(file, async (handle) => {
    const header = await readNpyHeader(handle, file);
    const { kind, shape } = header;
    if (kind === 'O') return pickledStrings((await readFile(file)).subarray(header.offset), file);
    if (kind !== 'U' && kind !== 'S') {
      throw new Error(`${file} holds values of type ${kind}, not paths: expected an array of str or bytes`);
    }
    if (shape.length > 1) throw new Error(`${file} has ${shape.length} dimensions; a list of paths has one`);
    const table = new StringTableBuilder();
    const text = kind === 'U' ? utf32 : bytesText;
    await eachItem(handle, header, file, (bytes) => table.add(text(bytes, header.littleEndian)));
    return table.finish();
  });
}

/** Code points of 4 bytes, padded with zeros. */
function utf32(bytes: Buffer, littleEndian: boolean): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 4) {
    const point = littleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
    if (point === 0) break;
    text += String.fromCodePoint(point);
  }
  return text;
}

function bytesText(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
}
