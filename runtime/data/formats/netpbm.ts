/** PBM, PGM and PPM files (P1 to P6), which sharp does not read. */
import { roundHalfEven } from '../pixels/round.ts';
import type { PackedPixels } from '../sample.ts';
import { checkPixels } from './limit.ts';

/**
 * RGB as Pillow's convert('RGB'): values are scaled to 255, gray ones of more than 8 bits to 65535 and then clipped, as
 * there. Throws an Error that says why not.
 */
export function decodeNetpbm(bytes: Uint8Array, pixelLimit: number): PackedPixels {
  const form = bytes[1] - 0x30;
  if (form === 7) throw new Error('PAM files are not supported');
  const bitmap = form === 1 || form === 4;
  const channels = form === 3 || form === 6 ? 3 : 1;
  const reader = new Tokens(bytes);
  const [width, height] = [reader.number(), reader.number()];
  const most = bitmap ? 1 : reader.number();
  if (!(most >= 1 && most <= 65535)) throw new Error(`its greatest value is ${most}`);
  checkPixels(width, height, pixelLimit);
  const count = width * height * channels;
  const values = form <= 3 ? plain(reader, count, bitmap) : raw(bytes, reader.dataAt(), { width, count, bitmap, most });
  const white = channels === 1 && most > 255 ? 65535 : 255;
  const pixels = new Uint8Array(width * height * 3);
  for (let i = 0; i < count; i++) {
    if (values[i] > most) throw new Error(`it has the value ${values[i]}, and its greatest is ${most}`);
    const level = Math.min(255, bitmap ? 255 * (1 - values[i]) : roundHalfEven((values[i] / most) * white));
    if (channels === 3) pixels[i] = level;
    else pixels.fill(level, 3 * i, 3 * i + 3);
  }
  return { pixels, width, height, channels: 3 };
}

function plain(reader: Tokens, count: number, bitmap: boolean): Uint16Array {
  return Uint16Array.from({ length: count }, () => (bitmap ? reader.bit() : reader.number()));
}

function raw(
  bytes: Uint8Array,
  at: number,
  { width, count, bitmap, most }: { width: number; count: number; bitmap: boolean; most: number },
): Uint16Array {
  const values = new Uint16Array(count);
  const wide = most > 255;
  const stride = Math.ceil(width / 8);
  const needed = bitmap ? stride * (count / width) : count * (wide ? 2 : 1);
  if (bytes.length < at + needed) throw new Error('the file ends too early');
  for (let i = 0; i < count; i++) {
    if (bitmap) {
      const x = i % width;
      values[i] = (bytes[at + Math.floor(i / width) * stride + (x >> 3)] >> (7 - (x & 7))) & 1;
    } else values[i] = wide ? bytes[at + 2 * i] * 256 + bytes[at + 2 * i + 1] : bytes[at + i];
  }
  return values;
}

const SPACES = [0x20, 0x09, 0x0a, 0x0b, 0x0c, 0x0d];
const HASH = 0x23;
const LINE = 0x0a;

/** Numbers between white space; from # to the end of its line is a comment. */
class Tokens {
  readonly #bytes: Uint8Array;
  #at = 2;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** One white space after the header. */
  dataAt(): number {
    return this.#at + 1;
  }

  bit(): number {
    this.#skip();
    const bit = this.#bytes[this.#at++] - 0x30;
    if (bit !== 0 && bit !== 1) throw new Error('it holds something other than 0 and 1, or ends too early');
    return bit;
  }

  number(): number {
    this.#skip();
    const start = this.#at;
    let value = 0;
    for (; this.#at - start < 10; this.#at++) {
      const digit = this.#bytes[this.#at] - 0x30;
      if (!(digit >= 0 && digit <= 9)) break;
      value = value * 10 + digit;
    }
    if (this.#at === start) throw new Error('it holds something other than numbers, or ends too early');
    return value;
  }

  #skip(): void {
    for (; this.#at < this.#bytes.length; this.#at++) {
      const c = this.#bytes[this.#at];
      if (c === HASH) while (this.#at < this.#bytes.length && this.#bytes[this.#at] !== LINE) this.#at++;
      else if (!SPACES.includes(c)) return;
    }
  }
}
