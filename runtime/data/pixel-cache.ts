/**
 * Decoded pixels of small pictures, shared by all threads of a rank. Reading and decoding a 32×32 PNG costs nearly what
 * its augmentation does, so the pixels are kept as long as there is room; nothing is ever thrown out, because every
 * epoch asks for every picture once.
 */
import type { PackedPixels } from './sample.ts';

export interface PixelCacheStorage {
  /** per picture: 0 unknown, else 1 + position in `bytes` divided by 16 */
  readonly entries: Int32Array;
  readonly bytes: Uint8Array;
  /** one number: next free position divided by 16 */
  readonly next: Int32Array;
}

/** pictures larger than this are decoded each time */
const LARGEST = 64 * 1024;
const HEADER = 16;
const UNIT = 16;

/**
 * Room for `bytes` of pixels; pages are touched as they fill. None when a dataset is so long that hardly any of it
 * would fit.
 */
export function createPixelCache(length: number, bytes: number): PixelCacheStorage | undefined {
  if (length * 1024 > bytes) return undefined;
  return {
    entries: new Int32Array(new SharedArrayBuffer(length * 4)),
    bytes: new Uint8Array(new SharedArrayBuffer(bytes)),
    next: new Int32Array(new SharedArrayBuffer(4)),
  };
}

/** The pixels of picture `index`, in place; undefined when they are not kept. */
export function cachedPixels(cache: PixelCacheStorage, index: number): PackedPixels | undefined {
  const entry = Atomics.load(cache.entries, index);
  if (entry === 0) return undefined;
  const at = (entry - 1) * UNIT;
  const [width, height, channels] = new Int32Array(cache.bytes.buffer, at, 3);
  return {
    pixels: cache.bytes.subarray(at + HEADER, at + HEADER + width * height * channels),
    width,
    height,
    channels,
  };
}

/** Keeps pixels when they are small and there is room. Two threads that keep the same picture waste one copy. */
export function keepPixels(cache: PixelCacheStorage, index: number, picture: PackedPixels): void {
  const { pixels, width, height, channels } = picture;
  if (pixels.length > LARGEST) return;
  const units = Math.ceil((HEADER + pixels.length) / UNIT);
  const last = cache.bytes.length / UNIT;
  if (Atomics.load(cache.next, 0) + units > last) return;
  const at = Atomics.add(cache.next, 0, units);
  if (at + units > last) return;
  new Int32Array(cache.bytes.buffer, at * UNIT, 3).set([width, height, channels]);
  cache.bytes.set(pixels, at * UNIT + HEADER);
  Atomics.store(cache.entries, index, at + 1);
}
