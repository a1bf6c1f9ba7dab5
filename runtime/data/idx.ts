/** The IDX format of MNIST and its relatives: a header of sizes, then bytes. http://yann.lecun.com/exdb/mnist/ */
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

export interface IdxFile {
  readonly sizes: readonly number[];
  readonly bytes: Uint8Array;
}

const UNSIGNED_BYTE = 8;

/** Reads an IDX file of unsigned bytes, gzipped or not. Throws an Error that names the file. */
export async function readIdx(file: string): Promise<IdxFile> {
  const raw = await readFile(file);
  const bytes = raw[0] === 0x1f && raw[1] === 0x8b ? await unpack(raw, file) : raw;
  if (bytes.length < 4 || bytes[0] !== 0 || bytes[1] !== 0) {
    throw new Error(`${file} is not an IDX file: it does not begin with two zero bytes`);
  }
  if (bytes[2] !== UNSIGNED_BYTE) {
    throw new Error(`${file} holds IDX values of type ${bytes[2]}; only unsigned bytes (8) are read`);
  }
  const header = 4 + 4 * bytes[3];
  if (bytes.length < header) throw new Error(`${file} ends within its header`);
  const sizes = Array.from({ length: bytes[3] }, (_, i) => bytes.readUInt32BE(4 + 4 * i));
  const expected = sizes.reduce((a, b) => a * b, 1);
  if (bytes.length - header !== expected) {
    throw new Error(`${file} has ${bytes.length - header} values; ${sizes.join('×')} = ${expected} are announced`);
  }
  return { sizes, bytes: bytes.subarray(header) };
}

async function unpack(raw: Buffer, file: string): Promise<Buffer> {
  try {
    return await promisify(gunzip)(raw);
  } catch (cause) {
    throw new Error(`${file} cannot be unpacked: ${(cause as Error).message}`, { cause });
  }
}
