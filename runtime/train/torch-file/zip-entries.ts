/** The directory of a zip archive, 64-bit sizes included. Its files are read one by one, as stored or deflated. */
import type { FileHandle } from 'node:fs/promises';
import { inflateRawSync } from 'node:zlib';
import { TorchFileError } from './error.ts';

export interface ZipEntry {
  readonly name: string;
  /** uncompressed */
  readonly bytes: number;
  read(): Promise<Buffer>;
}

const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const LARGE = 0xffffffff;
/** of the directory: a million entries of 256 bytes */
const MAX_DIRECTORY = 1 << 28;

export type ReadAt = (position: number, length: number) => Promise<Buffer>;

/** Reads exactly so many bytes. @throws TorchFileError when the file ends before */
export function readerOf(handle: FileHandle, path: string): ReadAt {
  return async (position, length) => {
    const bytes = Buffer.allocUnsafe(length);
    for (let at = 0; at < length; ) {
      const { bytesRead } = await handle.read(bytes, at, Math.min(length - at, 1 << 30), position + at);
      if (bytesRead === 0) throw new TorchFileError(`${path} is cut off: it ends at byte ${position + at}`);
      at += bytesRead;
    }
    return bytes;
  };
}

/** @throws TorchFileError when the directory is damaged */
export async function zipEntries(readAt: ReadAt, size: number, path: string): Promise<Map<string, ZipEntry>> {
  const { offset, length } = await directory(readAt, size, path);
  if (length > MAX_DIRECTORY || offset + length > size) throw new TorchFileError(`${path} has a damaged zip directory`);
  const bytes = await readAt(offset, length);
  const entries = new Map<string, ZipEntry>();
  for (let at = 0; at + 46 <= bytes.length; ) {
    if (bytes.readUInt32LE(at) !== CENTRAL) throw new TorchFileError(`${path} has a damaged zip directory`);
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((place) => bytes.readUInt16LE(at + place));
    const end = at + 46 + nameLength + extraLength;
    if (end > bytes.length) throw new TorchFileError(`${path} has a damaged zip directory`);
    const name = bytes.toString('utf8', at + 46, at + 46 + nameLength);
    const [packed, plain, start] = wide(bytes.subarray(end - extraLength, end), [
      bytes.readUInt32LE(at + 20),
      bytes.readUInt32LE(at + 24),
      bytes.readUInt32LE(at + 42),
    ]);
    const method = bytes.readUInt16LE(at + 10);
    const encrypted = (bytes.readUInt16LE(at + 8) & 1) === 1;
    if (start + packed > size) throw new TorchFileError(`${path} is cut off: ${name} reaches beyond its end`);
    const read = async () => {
      if (encrypted || (method !== 0 && method !== 8)) {
        throw new TorchFileError(`${path}: ${name} is packed in a way that is not known (method ${method})`);
      }
      const head = await readAt(start, 30);
      if (head.readUInt32LE(0) !== LOCAL) throw new TorchFileError(`${path}: ${name} is damaged`);
      const data = await readAt(start + 30 + head.readUInt16LE(26) + head.readUInt16LE(28), packed);
      return method === 0 ? data : inflateRawSync(data, { maxOutputLength: Math.max(1, plain) });
    };
    entries.set(name, { name, bytes: plain, read });
    at = end + commentLength;
  }
  return entries;
}

async function directory(readAt: ReadAt, size: number, path: string): Promise<{ offset: number; length: number }> {
  // the end record is 22 bytes and a comment of up to 65535
  const tail = await readAt(Math.max(0, size - 65557), Math.min(size, 65557));
  let at = tail.length - 22;
  while (at >= 0 && tail.readUInt32LE(at) !== END) at--;
  if (at < 0) throw new TorchFileError(`${path} is cut off: its zip directory is missing`);
  const found = { length: tail.readUInt32LE(at + 12), offset: tail.readUInt32LE(at + 16) };
  const large = at >= 20 && tail.readUInt32LE(at - 20) === LOCATOR_64;
  if (!large) return found;
  const record = await readAt(Number(tail.readBigUInt64LE(at - 12)), 56);
  if (record.readUInt32LE(0) !== END_64) throw new TorchFileError(`${path} has a damaged zip directory`);
  return { length: Number(record.readBigUInt64LE(40)), offset: Number(record.readBigUInt64LE(48)) };
}

/** Sizes that do not fit 32 bits are in the extra field 1, in order. */
function wide(extra: Buffer, values: readonly number[]): number[] {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue;
    let from = at + 4;
    return values.map((value) => {
      if (value !== LARGE || from + 8 > extra.length) return value;
      from += 8;
      return Number(extra.readBigUInt64LE(from - 8));
    });
  }
  return [...values];
}
