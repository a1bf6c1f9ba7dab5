import { blend16 } from './blend';
import { blue, green, red, storePacked } from './lanes';

/** ITU-R 601 luma of eight pixels in u16 lanes: (19595 R + 38470 G + 7471 B + 32768) >> 16; 38470 as two halves. */
@inline
function luma8(r: v128, g: v128, b: v128): v128 {
  const rg = i16x8(19595, 19235, 19595, 19235, 19595, 19235, 19595, 19235);
  const bg = i16x8(7471, 19235, 7471, 19235, 7471, 19235, 7471, 19235);
  const half = i32x4.splat(0x8000);
  const low = i32x4.add(
    i32x4.dot_i16x8_s(v128.shuffle<i16>(r, g, 0, 8, 1, 9, 2, 10, 3, 11), rg),
    i32x4.dot_i16x8_s(v128.shuffle<i16>(b, g, 0, 8, 1, 9, 2, 10, 3, 11), bg));
  const high = i32x4.add(
    i32x4.dot_i16x8_s(v128.shuffle<i16>(r, g, 4, 12, 5, 13, 6, 14, 7, 15), rg),
    i32x4.dot_i16x8_s(v128.shuffle<i16>(b, g, 4, 12, 5, 13, 6, 14, 7, 15), bg));
  return i16x8.narrow_i32x4_s(i32x4.shr_u(i32x4.add(low, half), 16), i32x4.shr_u(i32x4.add(high, half), 16));
}

@inline
function luma16(r: v128, g: v128, b: v128): v128 {
  return i8x16.narrow_i16x8_u(
    luma8(i16x8.extend_low_i8x16_u(r), i16x8.extend_low_i8x16_u(g), i16x8.extend_low_i8x16_u(b)),
    luma8(i16x8.extend_high_i8x16_u(r), i16x8.extend_high_i8x16_u(g), i16x8.extend_high_i8x16_u(b)));
}

@inline
function addBytes(total: v128, bytes: v128): v128 {
  const sums = i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(bytes));
  return i64x2.add(total, i64x2.add(i64x2.extend_low_i32x4_u(sums), i64x2.extend_high_i32x4_u(sums)));
}

@inline
function lumaAt(p: usize): v128 {
  const a = v128.load(p), b = v128.load(p, 16), c = v128.load(p, 32);
  return luma16(red(a, b, c), green(a, b, c), blue(a, b, c));
}

/** Sum of the luma of `pixels` pixels (of the values themselves for one channel); `spare` holds 48 bytes. */
export function lumaSum(p: usize, pixels: usize, channels: i32, spare: usize): f64 {
  let total = i64x2.splat(0);
  const rest = pixels & 15, step: usize = channels == 3 ? 48 : 16;
  const end = p + (pixels >> 4) * step;
  memory.fill(spare, 0, 48);
  if (channels == 3) {
    for (; p < end; p += 48) total = addBytes(total, lumaAt(p));
    memory.copy(spare, p, rest * 3);
    total = addBytes(total, lumaAt(spare));
  } else {
    for (; p < end; p += 16) total = addBytes(total, v128.load(p));
    memory.copy(spare, p, rest);
    total = addBytes(total, v128.load(spare));
  }
  return <f64>(i64x2.extract_lane(total, 0) + i64x2.extract_lane(total, 1));
}

@inline
function saturate16(p: usize, share: v128): void {
  const a = v128.load(p), b = v128.load(p, 16), c = v128.load(p, 32);
  const r = red(a, b, c), g = green(a, b, c), l = blue(a, b, c);
  const gray = luma16(r, g, l);
  storePacked(p, blend16(gray, r, share), blend16(gray, g, share), blend16(gray, l, share));
}

/** Blends RGB pixels with their own luma, in place; `spare` holds 48 bytes. */
export function saturation(p: usize, pixels: usize, share: f32, spare: usize): void {
  const s = f32x4.splat(share), rest = (pixels & 15) * 3;
  const end = p + (pixels >> 4) * 48;
  for (; p < end; p += 48) saturate16(p, s);
  memory.copy(spare, p, rest);
  saturate16(spare, s);
  memory.copy(p, spare, rest);
}

@inline
function gray16(p: usize): void {
  const luma = lumaAt(p);
  storePacked(p, luma, luma, luma);
}

/** Replaces RGB pixels by their luma, three equal channels, in place; `spare` holds 48 bytes. */
export function grayscale(p: usize, pixels: usize, spare: usize): void {
  const rest = (pixels & 15) * 3;
  const end = p + (pixels >> 4) * 48;
  for (; p < end; p += 48) gray16(p);
  memory.copy(spare, p, rest);
  gray16(spare);
  memory.copy(p, spare, rest);
}
