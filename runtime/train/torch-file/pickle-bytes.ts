import { TorchFileError, TruncatedPickle } from './error.ts';

/** A place in the bytes of a pickle; every read is checked against their end. */
export class PickleBytes {
  readonly #bytes: Buffer;
  readonly #file: string;
  at: number;

  constructor(bytes: Buffer, file: string, at = 0) {
    this.#bytes = bytes;
    this.#file = file;
    this.at = at;
  }

  fail(why: string): TorchFileError {
    return new TorchFileError(`${this.#file} is not a valid pickle: ${why} at byte ${this.at}`);
  }

  take(count: number): Buffer {
    if (count < 0 || this.at + count > this.#bytes.length) {
      throw new TruncatedPickle(`${this.#file} ends within its pickle, after ${this.#bytes.length} bytes`);
    }
    this.at += count;
    return this.#bytes.subarray(this.at - count, this.at);
  }

  byte(): number {
    return this.take(1)[0];
  }

  u16(): number {
    return this.take(2).readUInt16LE();
  }

  u32(): number {
    return this.take(4).readUInt32LE();
  }

  i32(): number {
    return this.take(4).readInt32LE();
  }

  u64(): number {
    const value = this.take(8).readBigUInt64LE();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw this.fail(`a length of ${value}`);
    return Number(value);
  }

  double(): number {
    return this.take(8).readDoubleBE();
  }

  text(length: number): string {
    return this.take(length).toString('utf8');
  }

  /** bytes of Python 2's str, one character each */
  latin1(length: number): string {
    return this.take(length).toString('latin1');
  }

  copy(length: number): Uint8Array {
    return Uint8Array.from(this.take(length));
  }

  line(encoding: 'utf8' | 'latin1' = 'utf8'): string {
    const end = this.#bytes.indexOf(10, this.at);
    if (end < 0) this.take(this.#bytes.length + 1 - this.at);
    const text = this.#bytes.toString(encoding, this.at, end);
    this.at = end + 1;
    return text;
  }

  /** two's complement, little-endian */
  long(length: number): number | bigint {
    const bytes = this.take(length);
    let value = 0n;
    for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]);
    return integer(length > 0 && bytes[length - 1] & 0x80 ? value - (1n << BigInt(8 * length)) : value);
  }
}

/** A number where it is exact, else a bigint. */
export const integer = (value: bigint): number | bigint =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
