const PAGE = 65536;
/** Growth comes in steps of 1 MiB at least, so that a few large images do not leave many small segments. */
const STEP = 1 << 20;

/** A piece of a memory that one owner alone uses. */
export interface Region {
  /** first byte; a multiple of 16 */
  readonly offset: number;
  readonly bytes: number;
}

/** A point to which an arena can be taken back. */
export interface Mark {
  readonly segment: number;
  readonly used: number;
}

/**
 * Hands out memory from a private region, front to back, and takes it all back at once. When the region is full the
 * memory grows, and the new pages belong to this arena for good: growing a shared memory is atomic, so several threads
 * may do so at once.
 */
export class Arena {
  readonly memory: WebAssembly.Memory;
  readonly #segments: Region[];
  #segment = 0;
  #used = 0;
  #bytes: Uint8Array;

  /** Throws a RangeError when the region does not lie in the memory or does not begin at a multiple of 16. */
  constructor(memory: WebAssembly.Memory, region: Region) {
    this.memory = memory;
    this.#bytes = new Uint8Array(memory.buffer);
    if (region.offset % 16 !== 0) throw new RangeError(`region offset ${region.offset} is not a multiple of 16`);
    this.checkRange(region.offset, region.bytes, 'region');
    this.#segments = [region];
  }

  /** Address of `bytes` fresh bytes, aligned to 16; their content is undefined. */
  alloc(bytes: number): number {
    if (!Number.isSafeInteger(bytes) || bytes < 0) throw new RangeError(`cannot allocate ${bytes} bytes`);
    const rounded = Math.ceil(bytes / 16) * 16;
    while (this.#used + rounded > this.#segments[this.#segment].bytes) {
      if (this.#segment + 1 === this.#segments.length) this.#segments.push(this.#grow(rounded));
      this.#segment++;
      this.#used = 0;
    }
    const at = this.#segments[this.#segment].offset + this.#used;
    this.#used += rounded;
    return at;
  }

  mark(): Mark {
    return { segment: this.#segment, used: this.#used };
  }

  /** Frees everything allocated since the mark. */
  release(mark: Mark): void {
    this.#segment = mark.segment;
    this.#used = mark.used;
  }

  /** Frees everything. Grown segments are kept. */
  reset(): void {
    this.#segment = 0;
    this.#used = 0;
  }

  /** Runs `work`, then frees what it allocated. */
  scratch<T>(work: () => T): T {
    const mark = this.mark();
    try {
      return work();
    } finally {
      this.release(mark);
    }
  }

  /** Bytes that this arena owns, grown segments included. */
  get capacity(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  /** The whole memory as bytes. Take it anew after anything that may allocate. */
  get bytes(): Uint8Array {
    if (this.#bytes.buffer !== this.memory.buffer) this.#bytes = new Uint8Array(this.memory.buffer);
    return this.#bytes;
  }

  /** Throws a RangeError unless the bytes from `ptr` lie in the memory; `what` names them in the message. */
  checkRange(ptr: number, bytes: number, what: string): void {
    const outside = () => !(ptr >= 0 && bytes >= 0 && ptr + bytes <= this.memory.buffer.byteLength);
    if (!outside()) return;
    this.memory.grow(0); // learns of growth by another thread
    if (outside()) {
      const size = this.memory.buffer.byteLength;
      throw new RangeError(`${what}: bytes ${ptr} to ${ptr + bytes} lie outside the memory of ${size} bytes`);
    }
  }

  #grow(bytes: number): Region {
    const pages = Math.ceil(Math.max(bytes, STEP) / PAGE);
    try {
      return { offset: this.memory.grow(pages) * PAGE, bytes: pages * PAGE };
    } catch (cause) {
      const size = this.memory.buffer.byteLength;
      throw new RangeError(
        `no room for ${bytes} bytes of pixels: the image memory of ${size} bytes cannot grow by ${pages * PAGE}. ` +
          'Use smaller images, fewer workers, or a memory with a larger maximum.',
        { cause },
      );
    }
  }
}
