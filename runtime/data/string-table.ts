/** Many strings in two shared buffers: ten million paths cost their bytes and 4 bytes each, once for all threads. */

export interface StringTable {
  readonly length: number;
  /** UTF-8, one after the other */
  readonly bytes: Uint8Array;
  /** where each begins, and where the last ends */
  readonly offsets: Uint32Array;
}

const LARGEST = 2 ** 32 - 1;

/** String `i`. */
export function stringAt({ bytes, offsets }: StringTable, i: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + offsets[i], offsets[i + 1] - offsets[i]).toString('utf8');
}

/** Collects strings; buffers grow by half, so memory stays near what is stored. */
export class StringTableBuilder {
  #bytes = Buffer.allocUnsafe(1 << 16);
  #offsets = new Uint32Array(1 << 12);
  #used = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(text: string): void {
    this.#reserve(text.length * 3);
    this.#end(this.#bytes.write(text, this.#used, 'utf8'));
  }

  /** The UTF-8 text from `start` to `end` of `bytes`. */
  addBytes(bytes: Buffer, start: number, end: number): void {
    this.#reserve(end - start);
    this.#end(bytes.copy(this.#bytes, this.#used, start, end));
  }

  #reserve(bytes: number): void {
    if (this.#used + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.ceil((this.#used + bytes) * 1.5));
    this.#bytes.copy(larger, 0, 0, this.#used);
    this.#bytes = larger;
  }

  #end(bytes: number): void {
    this.#used += bytes;
    if (this.#used > LARGEST) throw new RangeError('the paths of a dataset take more than 4 GiB');
    this.#length++;
    if (this.#length >= this.#offsets.length) {
      const offsets = new Uint32Array(Math.ceil(this.#offsets.length * 1.5));
      offsets.set(this.#offsets);
      this.#offsets = offsets;
    }
    this.#offsets[this.#length] = this.#used;
  }

  /** The table in shared memory, optionally cut to its first entries. */
  finish(length = this.#length): StringTable {
    const end = this.#offsets[length];
    const bytes = new Uint8Array(new SharedArrayBuffer(end));
    bytes.set(this.#bytes.subarray(0, end));
    const offsets = new Uint32Array(new SharedArrayBuffer((length + 1) * 4));
    offsets.set(this.#offsets.subarray(0, length + 1));
    return { length, bytes, offsets };
  }
}

/** The entries at these positions, as a table of their own. */
export function pickStrings(table: StringTable, positions: Uint32Array): StringTable {
  const { bytes, offsets } = table;
  let total = 0;
  for (const i of positions) total += offsets[i + 1] - offsets[i];
  const picked = new Uint8Array(new SharedArrayBuffer(total));
  const ends = new Uint32Array(new SharedArrayBuffer((positions.length + 1) * 4));
  positions.forEach((from, i) => {
    picked.set(bytes.subarray(offsets[from], offsets[from + 1]), ends[i]);
    ends[i + 1] = ends[i] + offsets[from + 1] - offsets[from];
  });
  return { length: positions.length, bytes: picked, offsets: ends };
}

/** Order by code point, as Python sorts; JavaScript's own order differs beyond U+FFFF. */
export function byCodePoint(a: string, b: string): number {
  if (a === b) return 0;
  for (let i = 0; i < a.length && i < b.length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    // surrogates stand for code points above all others
    const high = (c: number) => (c >= 0xd800 && c <= 0xdfff ? c + 0x10000 : c);
    return high(x) - high(y);
  }
  return a.length - b.length;
}
