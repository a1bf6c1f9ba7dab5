/** Planes into packed RGB: libjpeg's fixed-point matrix of 16 bits, BT.601 at full range. */
import { MARGIN, upsample } from './upsample';

/** Sixteen pixels of three planes, one after the other. */
@inline
function storePixels(r: v128, g: v128, b: v128, p: usize): void {
  const a0 = i8x16.shuffle(r, g, 0, 16, 0, 1, 17, 0, 2, 18, 0, 3, 19, 0, 4, 20, 0, 5);
  const a1 = i8x16.shuffle(g, r, 5, 0, 22, 6, 0, 23, 7, 0, 24, 8, 0, 25, 9, 0, 26, 10);
  const a2 = i8x16.shuffle(r, g, 0, 11, 27, 0, 12, 28, 0, 13, 29, 0, 14, 30, 0, 15, 31, 0);
  v128.store(p, i8x16.shuffle(a0, b, 0, 1, 16, 3, 4, 17, 6, 7, 18, 9, 10, 19, 12, 13, 20, 15));
  v128.store(p, i8x16.shuffle(a1, b, 0, 21, 2, 3, 22, 5, 6, 23, 8, 9, 24, 11, 12, 25, 14, 15), 16);
  v128.store(p, i8x16.shuffle(a2, b, 26, 1, 2, 27, 4, 5, 28, 7, 8, 29, 10, 11, 30, 13, 14, 31), 32);
}

@inline
function factors(a: i32, b: i32): v128 {
  return i32x4.splat((a & 0xffff) | (b << 16));
}

/** (a · first + b · second + rest) >> 16 on eight lanes. */
@inline
function weighed(a: v128, b: v128, by: v128, rest: v128): v128 {
  const low = i32x4.dot_i16x8_s(v128.shuffle<i16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11), by);
  const high = i32x4.dot_i16x8_s(v128.shuffle<i16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15), by);
  return i16x8.narrow_i32x4_s(i32x4.shr_s(i32x4.add(low, rest), 16), i32x4.shr_s(i32x4.add(high, rest), 16));
}

/** One row; whole groups of 16 pixels go to `out`, the rest by way of `spare` (48 bytes). */
function convertRow(y: usize, cb: usize, cr: usize, width: usize, out: usize, spare: usize): void {
  const middle = i16x8.splat(128), half = i32x4.splat(1 << 15);
  const red = factors(26345, 0), green = factors(-22554, 18734), blue = factors(-14942, 0);
  for (let x: usize = 0; x < width; x += 16, out += 48) {
    const luma = v128.load(y + x), u = v128.load(cb + x), v = v128.load(cr + x);
    const u0 = i16x8.sub(i16x8.extend_low_i8x16_u(u), middle), u1 = i16x8.sub(i16x8.extend_high_i8x16_u(u), middle);
    const v0 = i16x8.sub(i16x8.extend_low_i8x16_u(v), middle), v1 = i16x8.sub(i16x8.extend_high_i8x16_u(v), middle);
    const y0 = i16x8.extend_low_i8x16_u(luma), y1 = i16x8.extend_high_i8x16_u(luma);
    // 1.402 = 1 + 26345 / 2^16, -0.71414 = 18734 / 2^16 - 1, 1.772 = 2 - 14942 / 2^16
    const r = i8x16.narrow_i16x8_u(
      i16x8.add(i16x8.add(y0, v0), weighed(v0, v0, red, half)),
      i16x8.add(i16x8.add(y1, v1), weighed(v1, v1, red, half)));
    const g = i8x16.narrow_i16x8_u(
      i16x8.add(i16x8.sub(y0, v0), weighed(u0, v0, green, half)),
      i16x8.add(i16x8.sub(y1, v1), weighed(u1, v1, green, half)));
    const b = i8x16.narrow_i16x8_u(
      i16x8.add(i16x8.add(y0, i16x8.shl(u0, 1)), weighed(u0, u0, blue, half)),
      i16x8.add(i16x8.add(y1, i16x8.shl(u1, 1)), weighed(u1, u1, blue, half)));
    if (x + 16 <= width) storePixels(r, g, b, out);
    else {
      storePixels(r, g, b, spare);
      memory.copy(out, spare, (width - x) * 3);
    }
  }
}

/**
 * A picture of width × height; colour planes have `columns` × `rows` values that count, each `across` × `down` pixels
 * (1×1, 2×1 or 2×2). `spare` has room for 2 · MARGIN + 48 + 6 · columns + 128 bytes.
 */
export function writeRgb(width: usize, height: i32, y: usize, yStride: usize, cb: usize, cr: usize, stride: usize,
  columns: usize, rows: i32, across: i32, down: i32, spare: usize, out: usize): void {
  const sums = spare + 48 + MARGIN, wide = sums + 2 * columns + 32, other = wide + 2 * columns + 32;
  for (let row = 0; row < height; row++, y += yStride, out += width * 3) {
    const near = down == 2 ? row >> 1 : row;
    const beside = row & 1 ? near + 1 : near - 1, far = down == 2 ? max(0, min(rows - 1, beside)) : near;
    const at = <usize>near * stride, aside = <usize>far * stride;
    if (across == 1) {
      convertRow(y, cb + at, cr + at, width, out, spare);
      continue;
    }
    upsample(cb + at, cb + aside, down == 2, sums, columns, wide);
    upsample(cr + at, cr + aside, down == 2, sums, columns, other);
    convertRow(y, wide, other, width, out, spare);
  }
}

/** A picture of luma alone, in three equal channels. */
export function writeGray(width: usize, height: i32, y: usize, stride: usize, spare: usize, out: usize): void {
  for (let row = 0; row < height; row++, y += stride) {
    for (let x: usize = 0; x < width; x += 16) {
      const v = v128.load(y + x), tail = min(<usize>16, width - x) * 3;
      storePixels(v, v, v, spare);
      memory.copy(out, spare, tail);
      out += tail;
    }
  }
}
