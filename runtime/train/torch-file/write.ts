/** PyTorch files written without Python: the zip archive of torch.save, its tensors in a dict. */
import { crc32 } from 'node:zlib';
import { diskFiles, type Files } from '../files.ts';
import { pickleStateDict } from './pickle-state-dict.ts';
import type { TorchDtype } from './tensors.ts';
import { TORCH_BYTES } from './tensors.ts';

export interface TorchSource {
  readonly name: string;
  readonly dtype: TorchDtype;
  /** PyTorch's layout, rows first */
  readonly shape: readonly number[];
  /** asked for when its turn comes; little-endian */
  read(): ArrayBufferView | Promise<ArrayBufferView>;
}

/**
 * Write tensors as torch.load reads them: an OrderedDict from names to tensors, behind `keys` ("model_state_dict" gives
 * {"model_state_dict": {…}}), with further entries beside the innermost dict. One tensor is in memory at a time.
 */
export async function writeTorchFile(
  path: string,
  tensors: readonly TorchSource[],
  keys: readonly string[] = [],
  beside: Readonly<Record<string, boolean | string>> = {},
  files: Files = diskFiles,
): Promise<void> {
  const handle = await files.open(path, 'w');
  const zip = new ZipWriter((bytes) => handle.writeFile(bytes).then(() => undefined));
  try {
    await zip.add('data.pkl', pickleStateDict(tensors, keys, beside));
    await zip.add('byteorder', Buffer.from('little'));
    for (const [i, { name, dtype, shape, read }] of tensors.entries()) {
      const { buffer, byteOffset, byteLength } = await read();
      const wanted = shape.reduce((product, n) => product * n, TORCH_BYTES[dtype] as number);
      if (byteLength !== wanted) throw new Error(`${path}: ${name} has ${byteLength} bytes instead of ${wanted}`);
      await zip.add(`data/${i}`, Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength));
    }
    await zip.add('version', Buffer.from('3\n'));
    await zip.end();
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const FOLDER = 'archive/';
/** data of a tensor begins at a multiple of it, as PyTorch has it for mapping files into memory */
const ALIGNMENT = 64;
const LARGE = 0xffffffff;

interface Written {
  readonly name: Buffer;
  readonly crc: number;
  readonly bytes: number;
  readonly start: number;
}

/** Stored entries only; sizes and places beyond 4 GiB as 64 bits. */
class ZipWriter {
  readonly #put: (bytes: Buffer) => Promise<void>;
  readonly #written: Written[] = [];
  #at = 0;

  constructor(put: (bytes: Buffer) => Promise<void>) {
    this.#put = put;
  }

  async add(file: string, data: Buffer): Promise<void> {
    const entry = { name: Buffer.from(FOLDER + file), crc: crc32(data), bytes: data.length, start: this.#at };
    const fixed = this.#at + 30 + entry.name.length;
    const large = data.length >= LARGE ? sizes64([data.length, data.length]) : Buffer.alloc(0);
    // a field of its own kind, "FB", fills up to the alignment
    const fill = (ALIGNMENT - ((fixed + large.length + 4) % ALIGNMENT)) % ALIGNMENT;
    const padding = Buffer.alloc(4 + fill, 'Z');
    padding.write('FB', 0);
    padding.writeUInt16LE(fill, 2);
    const head = Buffer.alloc(30);
    head.writeUInt32LE(0x04034b50, 0);
    fields(head, 4, entry, large.length > 0);
    head.writeUInt16LE(entry.name.length, 26);
    head.writeUInt16LE(large.length + padding.length, 28);
    await this.#write(Buffer.concat([head, entry.name, large, padding]));
    await this.#write(data);
    this.#written.push(entry);
  }

  async end(): Promise<void> {
    const start = this.#at;
    for (const entry of this.#written) {
      const wide = entry.bytes >= LARGE || entry.start >= LARGE;
      const extra = wide ? sizes64([entry.bytes, entry.bytes, entry.start]) : Buffer.alloc(0);
      const head = Buffer.alloc(46);
      head.writeUInt32LE(0x02014b50, 0);
      fields(head, 6, entry, wide);
      head.writeUInt16LE(entry.name.length, 28);
      head.writeUInt16LE(extra.length, 30);
      head.writeUInt32LE(wide ? LARGE : entry.start, 42);
      await this.#write(Buffer.concat([head, entry.name, extra]));
    }
    const directory = { count: this.#written.length, length: this.#at - start, start };
    const wide = directory.count >= 0xffff || directory.start >= LARGE;
    if (wide) await this.#write(end64(directory, this.#at));
    const end = Buffer.alloc(22);
    end.writeUInt32LE(0x06054b50, 0);
    end.writeUInt16LE(wide ? 0xffff : directory.count, 8);
    end.writeUInt16LE(wide ? 0xffff : directory.count, 10);
    end.writeUInt32LE(wide ? LARGE : directory.length, 12);
    end.writeUInt32LE(wide ? LARGE : directory.start, 16);
    await this.#write(end);
  }

  async #write(bytes: Buffer): Promise<void> {
    await this.#put(bytes);
    this.#at += bytes.length;
  }
}

/** What local and central headers share, from "version needed" on: no flags, stored, 1980-01-01. */
function fields(head: Buffer, at: number, { crc, bytes }: Written, wide: boolean): void {
  head.writeUInt16LE(wide ? 45 : 20, at);
  head.writeUInt16LE((1 << 5) | 1, at + 8); // 1 January 1980: the bytes depend on the content alone
  head.writeUInt32LE(crc, at + 10);
  head.writeUInt32LE(wide ? LARGE : bytes, at + 14);
  head.writeUInt32LE(wide ? LARGE : bytes, at + 18);
}

function sizes64(values: readonly number[]): Buffer {
  const extra = Buffer.alloc(4 + 8 * values.length);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(8 * values.length, 2);
  values.forEach((value, i) => {
    extra.writeBigUInt64LE(BigInt(value), 4 + 8 * i);
  });
  return extra;
}

function end64({ count, length, start }: { count: number; length: number; start: number }, at: number): Buffer {
  const record = Buffer.alloc(56 + 20);
  record.writeUInt32LE(0x06064b50, 0);
  record.writeBigUInt64LE(44n, 4);
  record.writeUInt16LE(45, 12);
  record.writeUInt16LE(45, 14);
  for (const place of [24, 32]) record.writeBigUInt64LE(BigInt(count), place);
  record.writeBigUInt64LE(BigInt(length), 40);
  record.writeBigUInt64LE(BigInt(start), 48);
  record.writeUInt32LE(0x07064b50, 56);
  record.writeBigUInt64LE(BigInt(at), 64);
  record.writeUInt32LE(1, 72);
  return record;
}
