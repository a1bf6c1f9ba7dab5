import { clip16, load4 } from './lanes';

// Vector constants lie in memory: the engine builds a literal anew, in several instructions, wherever it is used.
const RED_GREEN = 0, BLUE_GREEN = 16, RG_WEIGHTS = 32, BG_WEIGHTS = 48, HALF = 64, THRICE = 80, CONSTANTS = 96;

/** Luma is (19595 R + 38470 G + 7471 B + 32768) >> 16, ITU-R 601; 38470 as two halves, to fit 16 bits. */
@inline
function storeConstants(at: usize): void {
  v128.store(at, i8x16(0, -1, 1, -1, 3, -1, 4, -1, 6, -1, 7, -1, 9, -1, 10, -1), RED_GREEN);
  v128.store(at, i8x16(2, -1, 1, -1, 5, -1, 4, -1, 8, -1, 7, -1, 11, -1, 10, -1), BLUE_GREEN);
  v128.store(at, i16x8(19595, 19235, 19595, 19235, 19595, 19235, 19595, 19235), RG_WEIGHTS);
  v128.store(at, i16x8(7471, 19235, 7471, 19235, 7471, 19235, 7471, 19235), BG_WEIGHTS);
  v128.store(at, i32x4.splat(0x8000), HALF);
  v128.store(at, i8x16(0, 0, 0, 4, 4, 4, 8, 8, 8, 12, 12, 12, -1, -1, -1, -1), THRICE);
}

/** Luma of four packed RGB pixels as i32 lanes. */
@inline
function luma4(v: v128, k: usize): v128 {
  const rg = i32x4.dot_i16x8_s(i8x16.swizzle(v, v128.load(k, RED_GREEN)), v128.load(k, RG_WEIGHTS));
  const bg = i32x4.dot_i16x8_s(i8x16.swizzle(v, v128.load(k, BLUE_GREEN)), v128.load(k, BG_WEIGHTS));
  return i32x4.shr_u(i32x4.add(i32x4.add(rg, bg), v128.load(k, HALF)), 16);
}

@inline
function store12(p: usize, bytes: v128): void {
  v128.store_lane<u64>(p, bytes, 0);
  v128.store_lane<u32>(p, bytes, 2, 8);
}

@inline
function lanesSum(v: v128): i64 {
  const low = i64x2.extend_low_i32x4_u(v), high = i64x2.extend_high_i32x4_u(v);
  const sum = i64x2.add(low, high);
  return i64x2.extract_lane(sum, 0) + i64x2.extract_lane(sum, 1);
}

/** Four pixels or sixteen bytes at a time, for so long that 32 bits hold the sum. */
const BLOCK: usize = 1 << 20;

function rgbSum(p: usize, pixels: usize, spare: usize): i64 {
  const end = p + pixels * 3, rest = spare + CONSTANTS;
  let total: i64 = 0;
  storeConstants(spare);
  while (p + 16 <= end) {
    const stop = min(end, p + 12 * BLOCK);
    let sum = i32x4.splat(0);
    for (; p + 16 <= stop; p += 12) sum = i32x4.add(sum, luma4(v128.load(p), spare));
    total += lanesSum(sum);
  }
  memory.fill(rest, 0, 32);
  memory.copy(rest, p, end - p);
  return total + lanesSum(i32x4.add(luma4(v128.load(rest), spare), luma4(v128.load(rest, 12), spare)));
}

function graySum(p: usize, pixels: usize): i64 {
  const end = p + pixels;
  let total: i64 = 0;
  while (p + 16 <= end) {
    const stop = min(end, p + 16 * BLOCK);
    let sum = i32x4.splat(0);
    for (; p + 16 <= stop; p += 16) {
      sum = i32x4.add(sum, i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(v128.load(p))));
    }
    total += lanesSum(sum);
  }
  for (; p < end; p++) total += load<u8>(p);
  return total;
}

/** Sum of the luma of `pixels` pixels (of the values themselves for one channel); `spare` holds 144 bytes. */
export function lumaSum(p: usize, pixels: usize, channels: i32, spare: usize): f64 {
  return <f64>(channels == 3 ? rgbSum(p, pixels, spare) : graySum(p, pixels));
}

@inline
function blend4(gray: v128, p: usize, share: v128): v128 {
  const step = f32x4.mul(share, f32x4.sub(f32x4.convert_i32x4_s(load4(p)), gray));
  return i32x4.trunc_sat_f32x4_s(f32x4.add(gray, step));
}

@inline
function saturate4(p: usize, share: v128, k: usize): void {
  const gray = f32x4.convert_i32x4_s(luma4(v128.load(p), k));
  const a = blend4(v128.shuffle<i32>(gray, gray, 0, 0, 0, 1), p, share);
  const b = blend4(v128.shuffle<i32>(gray, gray, 1, 1, 2, 2), p + 4, share);
  const c = blend4(v128.shuffle<i32>(gray, gray, 2, 3, 3, 3), p + 8, share);
  store12(p, clip16(a, b, c, c));
}

/** Blends RGB pixels with their own luma, in place; `spare` holds 144 bytes. */
export function saturation(p: usize, pixels: usize, share: f32, spare: usize): void {
  const s = f32x4.splat(share), end = p + pixels * 3, rest = spare + CONSTANTS;
  storeConstants(spare);
  for (; p + 16 <= end; p += 12) saturate4(p, s, spare);
  memory.copy(rest, p, end - p);
  saturate4(rest, s, spare);
  saturate4(rest + 12, s, spare);
  memory.copy(p, rest, end - p);
}

@inline
function gray4(p: usize, k: usize): void {
  store12(p, i8x16.swizzle(luma4(v128.load(p), k), v128.load(k, THRICE)));
}

/** Replaces RGB pixels by their luma, three equal channels, in place; `spare` holds 144 bytes. */
export function grayscale(p: usize, pixels: usize, spare: usize): void {
  const end = p + pixels * 3, rest = spare + CONSTANTS;
  storeConstants(spare);
  for (; p + 16 <= end; p += 12) gray4(p, spare);
  memory.copy(rest, p, end - p);
  gray4(rest, spare);
  gray4(rest + 12, spare);
  memory.copy(p, rest, end - p);
}
