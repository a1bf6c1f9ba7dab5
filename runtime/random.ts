/**
 * Seeded random streams. A stream is named by a seed and a path of strings and numbers, and its numbers depend on that
 * name alone: not on the platform, the worker, or how much of another stream was drawn.
 *
 * The name is hashed to 128 bits (four multiply-rotate lanes with MurmurHash3's finaliser), which start a
 * xoshiro128** generator (Blackman and Vigna 2018, arXiv:1805.01407). Only integer and IEEE basic operations are used.
 */

export interface Random {
  /** Uniform in [0, 1), 53 random bits. */
  next(): number;
  /** Uniform in [a, b). */
  uniform(a: number, b: number): number;
  /** Standard normal. */
  normal(): number;
  /** Uniform integer in [0, n), without bias; 1 ≤ n ≤ 2^32, else a RangeError. */
  integer(n: number): number;
  /** The integers 0 … n-1 in random order (Fisher-Yates, O(n), 4n bytes). */
  permutation(n: number): Uint32Array;
  /** The stream named by this one's name and `path`; does not depend on what was drawn here. */
  fork(...path: (string | number)[]): Random;
}

/** The stream named (seed, ...path); strings and numbers differ (`1` is not `'1'`), and so do `'a', 'b'` and `'ab'`. */
export function createRandom(seed: number, ...path: (string | number)[]): Random {
  return new Stream(absorbAll(Uint32Array.of(0x9e3779b9, 0x243f6a88, 0xb7e15162, 0x6a09e667), [seed, ...path]));
}

const TWO_32 = 2 ** 32;

class Stream implements Random {
  readonly #name: Uint32Array;
  // the generator's state as int32
  #s0: number;
  #s1: number;
  #s2: number;
  #s3: number;
  /** the second of a pair of normals */
  #spare: number | undefined;

  constructor(name: Uint32Array) {
    this.#name = name;
    [this.#s0, this.#s1, this.#s2, this.#s3] = finish(name);
  }

  /** 32 random bits */
  #word(): number {
    const result = Math.imul(rotate(Math.imul(this.#s1, 5), 7), 9) >>> 0;
    const t = this.#s1 << 9;
    this.#s2 ^= this.#s0;
    this.#s3 ^= this.#s1;
    this.#s1 ^= this.#s2;
    this.#s0 ^= this.#s3;
    this.#s2 ^= t;
    this.#s3 = rotate(this.#s3, 11);
    return result;
  }

  next(): number {
    const high = this.#word() >>> 5;
    return (high * 2 ** 26 + (this.#word() >>> 6)) / 2 ** 53;
  }

  uniform(a: number, b: number): number {
    return a + (b - a) * this.next();
  }

  /** Marsaglia's polar method. */
  normal(): number {
    if (this.#spare !== undefined) {
      const value = this.#spare;
      this.#spare = undefined;
      return value;
    }
    let u: number;
    let v: number;
    let r: number;
    do {
      u = 2 * this.next() - 1;
      v = 2 * this.next() - 1;
      r = u * u + v * v;
    } while (r >= 1 || r === 0);
    const scale = Math.sqrt((-2 * log(r)) / r);
    this.#spare = v * scale;
    return u * scale;
  }

  integer(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > TWO_32) {
      throw new RangeError(`integer(${n}): expected a whole number from 1 to 2^32`);
    }
    const limit = TWO_32 - (TWO_32 % n);
    let word = this.#word();
    while (word >= limit) word = this.#word();
    return word % n;
  }

  permutation(n: number): Uint32Array {
    const order = new Uint32Array(n);
    for (let i = 0; i < n; i++) {
      const j = this.integer(i + 1);
      order[i] = order[j];
      order[j] = i;
    }
    return order;
  }

  fork(...path: (string | number)[]): Random {
    return new Stream(absorbAll(this.#name.slice(), path));
  }
}

function rotate(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}

function absorb(lanes: Uint32Array | Int32Array, word: number): void {
  lanes[0] = Math.imul(rotate(lanes[0] ^ Math.imul(word, 0x239b961b), 19), 5) + lanes[1];
  lanes[1] = Math.imul(rotate(lanes[1] ^ Math.imul(word, 0xab0e9789), 17), 5) + lanes[2];
  lanes[2] = Math.imul(rotate(lanes[2] ^ Math.imul(word, 0x38b34ae5), 15), 5) + lanes[3];
  lanes[3] = Math.imul(rotate(lanes[3] ^ Math.imul(word, 0xa1e38b93), 13), 5) + lanes[0];
}

const NUMBER = 1;
const STRING = 2;
const bits = new DataView(new ArrayBuffer(8));

function absorbAll(lanes: Uint32Array, path: readonly (string | number)[]): Uint32Array {
  for (const part of path) {
    if (typeof part === 'number') {
      bits.setFloat64(0, part === 0 ? 0 : part); // -0 is 0
      absorb(lanes, NUMBER);
      absorb(lanes, bits.getUint32(0));
      absorb(lanes, bits.getUint32(4));
    } else {
      absorb(lanes, STRING);
      absorb(lanes, part.length);
      for (let i = 0; i < part.length; i++) absorb(lanes, part.charCodeAt(i));
    }
  }
  return lanes;
}

function finish(name: Uint32Array): Int32Array {
  const state = Int32Array.from(name);
  for (let round = 0; round < 4; round++) absorb(state, round + 3);
  for (let i = 0; i < 4; i++) {
    let h = state[i];
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    state[i] = h ^ (h >>> 16);
  }
  if ((state[0] | state[1] | state[2] | state[3]) === 0) state[0] = 1; // the generator's one forbidden state
  return state;
}

const ODD_RECIPROCALS = Float64Array.from({ length: 12 }, (_, i) => 1 / (23 - 2 * i));

/** Natural logarithm from IEEE basic operations, within 2 ulp; Math.log may differ between engines. x must be normal. */
function log(x: number): number {
  bits.setFloat64(0, x);
  const high = bits.getUint32(0);
  let exponent = (high >>> 20) - 1023;
  bits.setUint32(0, (high & 0xfffff) | 0x3ff00000);
  let mantissa = bits.getFloat64(0);
  if (mantissa > Math.SQRT2) {
    mantissa /= 2;
    exponent += 1;
  }
  const z = (mantissa - 1) / (mantissa + 1); // log m = 2 artanh z, |z| < 0.172
  const z2 = z * z;
  let sum = 0;
  for (let i = 0; i < ODD_RECIPROCALS.length; i++) sum = sum * z2 + ODD_RECIPROCALS[i];
  return 2 * z * sum + exponent * Math.LN2;
}
