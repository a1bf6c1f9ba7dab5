/** Reads NumPy's .npy files without Python: header, then values. Format: numpy.lib.format, versions 1 to 3. */
import { type FileHandle, open } from 'node:fs/promises';

export interface NpyHeader {
  /** kind: i, u, f, b (bool), U (UTF-32 text), S (bytes), O (pickled objects) */
  readonly kind: string;
  /** bytes of one number, or of one text of a table of texts */
  readonly itemBytes: number;
  readonly littleEndian: boolean;
  readonly fortran: boolean;
  readonly shape: readonly number[];
  /** where the values begin */
  readonly offset: number;
}

const MAGIC = '\x93NUMPY';
const CHUNK = 8 << 20;

/** Headers are padded to 64 bytes; one of records may be longer, and is refused anyway. */
const LONGEST_HEADER = 1 << 16;

/** Throws an Error that names the file and what is wrong with it. */
export async function readNpyHeader(handle: FileHandle, file: string): Promise<NpyHeader> {
  const start = Buffer.alloc(LONGEST_HEADER);
  const { bytesRead } = await handle.read(start, 0, start.length, 0);
  return npyHeader(start.subarray(0, bytesRead), file);
}

/** The header at the begin of a file's bytes. */
export function npyHeader(bytes: Buffer, file: string): NpyHeader {
  if (bytes.length < 12 || bytes.toString('latin1', 0, 6) !== MAGIC) throw new Error(`${file} is not a .npy file`);
  const wide = bytes[6] >= 2;
  const length = wide ? bytes.readUInt32LE(8) : bytes.readUInt16LE(8);
  const offset = (wide ? 12 : 10) + length;
  if (offset > LONGEST_HEADER) throw new Error(`${file}: a header of ${length} bytes is not plausible`);
  if (bytes.length < offset) throw new Error(`${file} ends within its header`);
  return { ...parseHeader(bytes.toString('latin1', offset - length, offset), file), offset };
}

/** The header is a Python dictionary literal; only its three known entries are matched, nothing is evaluated. */
function parseHeader(text: string, file: string): Omit<NpyHeader, 'offset'> {
  const descr = /'descr':\s*'([<>|=]?)([a-zA-Z])(\d*)'/.exec(text);
  const order = /'fortran_order':\s*(True|False)/.exec(text);
  const shape = /'shape':\s*\(([\d,\sL]*)\)/.exec(text);
  if (!descr || !order || !shape) {
    throw new Error(`${file}: the header ${JSON.stringify(text.trim())} is not of a plain array`);
  }
  const kind = descr[2] === 'a' ? 'S' : descr[2] === '?' ? 'b' : descr[2];
  const count = descr[3] === '' ? 1 : Number(descr[3]);
  return {
    kind,
    itemBytes: kind === 'U' ? count * 4 : count,
    littleEndian: descr[1] !== '>',
    fortran: order[1] === 'True',
    shape: shape[1]
      .split(',')
      .map((part) => part.trim().replace('L', ''))
      .filter((part) => part !== '')
      .map(Number),
  };
}

/** Calls `visit` for every item of the file in order: its bytes begin at `at` and are valid during the call. */
export async function eachItem(
  handle: FileHandle,
  header: NpyHeader,
  file: string,
  visit: (bytes: Buffer, at: number) => void,
): Promise<void> {
  const { itemBytes, offset, shape } = header;
  const items = shape.reduce((a, b) => a * b, 1);
  if (items === 0 || itemBytes === 0) return;
  const perChunk = Math.max(1, Math.floor(CHUNK / itemBytes));
  const chunk = Buffer.allocUnsafe(Math.min(items, perChunk) * itemBytes);
  for (let done = 0; done < items; done += perChunk) {
    const wanted = Math.min(perChunk, items - done) * itemBytes;
    let got = 0;
    while (got < wanted) {
      const { bytesRead } = await handle.read(chunk, got, wanted - got, offset + done * itemBytes + got);
      if (bytesRead === 0)
        throw new Error(`${file} ends after ${done + Math.floor(got / itemBytes)} of ${items} values`);
      got += bytesRead;
    }
    for (let at = 0; at < wanted; at += itemBytes) visit(chunk, at);
  }
}

/** Opens a file, hands it on, and closes it. */
export async function withFile<R>(file: string, work: (handle: FileHandle) => Promise<R>): Promise<R> {
  const handle = await open(file, 'r');
  try {
    return await work(handle);
  } finally {
    await handle.close();
  }
}
