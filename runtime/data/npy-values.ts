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
    let next = 0;
    await eachItem(handle, header, file, (bytes, at) => {
      const value = read(bytes, at);
      if (!Number.isInteger(value) || Math.abs(value) > 0x7fffffff) {
        throw new Error(`${file}: value ${next} is ${value}; labels are whole numbers of 32 bits`);
      }
      values[next++] = value;
    });
    return { values, rows, columns };
  });
}

/** A list of numbers of any type. Throws an Error that names the file. */
export async function readNpyNumbers(file: string): Promise<Float64Array> {
  return withFile(file, async (handle) => {
    const header = await readNpyHeader(handle, file);
    if (header.shape.length !== 1) throw new Error(`${file} has the shape (${header.shape.join(', ')}), not a list`);
    const read = numberReader(header, file);
    const values = new Float64Array(header.shape[0]);
    let next = 0;
    await eachItem(handle, header, file, (bytes, at) => {
      values[next++] = read(bytes, at);
    });
    return values;
  });
}

/** How one number of such a file is read. Throws an Error when they are not numbers. */
export function numberReader(
  { kind, itemBytes, littleEndian: little }: NpyHeader,
  file: string,
): (bytes: Buffer, at: number) => number {
  switch (`${kind}${itemBytes}`) {
    case 'b1':
    case 'u1':
      return (bytes, at) => bytes[at];
    case 'i1':
      return (bytes, at) => bytes.readInt8(at);
    case 'u2':
      return (bytes, at) => (little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at));
    case 'i2':
      return (bytes, at) => (little ? bytes.readInt16LE(at) : bytes.readInt16BE(at));
    case 'u4':
      return (bytes, at) => (little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
    case 'i4':
      return (bytes, at) => (little ? bytes.readInt32LE(at) : bytes.readInt32BE(at));
    case 'u8':
      return (bytes, at) => word(bytes, at, little, false);
    case 'i8':
      return (bytes, at) => word(bytes, at, little, true);
    case 'f4':
      return (bytes, at) => (little ? bytes.readFloatLE(at) : bytes.readFloatBE(at));
    case 'f8':
      return (bytes, at) => (little ? bytes.readDoubleLE(at) : bytes.readDoubleBE(at));
    default:
      throw new Error(`${file} holds values of type ${kind}${itemBytes}; labels are whole numbers`);
  }
}

/** 8 bytes without a detour over big integers; exact for what fits into 32 bits. */
function word(bytes: Buffer, at: number, little: boolean, signed: boolean): number {
  const low = little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at + 4);
  const highAt = little ? at + 4 : at;
  if (!signed) return (little ? bytes.readUInt32LE(highAt) : bytes.readUInt32BE(highAt)) * 2 ** 32 + low;
  return (little ? bytes.readInt32LE(highAt) : bytes.readInt32BE(highAt)) * 2 ** 32 + low;
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
    const { itemBytes, littleEndian } = header;
    await eachItem(handle, header, file, (bytes, at) => {
      if (kind === 'S') {
        const end = bytes.indexOf(0, at);
        table.addBytes(bytes, at, end < 0 || end > at + itemBytes ? at + itemBytes : end);
      } else if (!addAscii(table, bytes, at, itemBytes, littleEndian)) {
        table.add(utf32(bytes.subarray(at, at + itemBytes), littleEndian));
      }
    });
    return table.finish();
  });
}

const ascii = Buffer.alloc(4096);

/** Adds a text of ASCII characters, which most are; false when it is none. */
function addAscii(table: StringTableBuilder, bytes: Buffer, at: number, itemBytes: number, little: boolean): boolean {
  const length = itemBytes / 4;
  if (length > ascii.length) return false;
  const low = little ? 0 : 3;
  let count = 0;
  for (let p = at; count < length; p += 4) {
    const code = bytes[p + low];
    if (code >= 0x80 || bytes[p + 1] !== 0 || bytes[p + 2] !== 0 || bytes[p + 3 - low] !== 0) return false;
    if (code === 0) break;
    ascii[count++] = code;
  }
  table.addBytes(ascii, 0, count);
  return true;
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
