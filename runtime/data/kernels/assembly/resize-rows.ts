import { BITS, LOW_BITS } from './coefficients';
import { clip4 } from './lanes';

/** One RGB pixel: the rounded sums, exactly three bytes. */
@inline
function storePixel(p: usize, high: v128, low: v128): void {
  const bytes = clip4(i32x4.shr_s(i32x4.add(i32x4.shl(high, LOW_BITS), low), BITS));
  v128.store_lane<u16>(p, bytes, 0);
  v128.store_lane<u8>(p, bytes, 2, 2);
}

/** Two neighbouring pixels as 16-bit lanes, channel by channel: r0 r1 g0 g1 b0 b1. */
@inline
function twoPixels(p: usize, order: v128): v128 {
  return i8x16.swizzle(v128.load64_zero(p), order);
}


/** Four rows of RGB at once. */
function fourRgb(r0: usize, r1: usize, r2: usize, r3: usize, out: usize, outStride: usize, width: i32, bounds: usize, weights: usize, pairs: i32, order: v128): void {
  const half = i32x4.splat(1 << (BITS - 1)), none = i32x4.splat(0);
  for (let x = 0; x < width; x++) {
    let at = <usize>load<i32>(bounds) * 3, k = weights;
    const end = k + (<usize>load<i32>(bounds, 4) << 3);
    let h0 = none, h1 = none, h2 = none, h3 = none, l0 = half, l1 = half, l2 = half, l3 = half;
    for (; k < end; k += 8, at += 6) {
      const high = v128.load32_splat(k), low = v128.load32_splat(k, 4);
      const p0 = twoPixels(r0 + at, order), p1 = twoPixels(r1 + at, order);
      const p2 = twoPixels(r2 + at, order), p3 = twoPixels(r3 + at, order);
      h0 = i32x4.add(h0, i32x4.dot_i16x8_s(p0, high)); l0 = i32x4.add(l0, i32x4.dot_i16x8_s(p0, low));
      h1 = i32x4.add(h1, i32x4.dot_i16x8_s(p1, high)); l1 = i32x4.add(l1, i32x4.dot_i16x8_s(p1, low));
      h2 = i32x4.add(h2, i32x4.dot_i16x8_s(p2, high)); l2 = i32x4.add(l2, i32x4.dot_i16x8_s(p2, low));
      h3 = i32x4.add(h3, i32x4.dot_i16x8_s(p3, high)); l3 = i32x4.add(l3, i32x4.dot_i16x8_s(p3, low));
    }
    storePixel(out, h0, l0);
    storePixel(out + outStride, h1, l1);
    storePixel(out + 2 * outStride, h2, l2);
    storePixel(out + 3 * outStride, h3, l3);
    out += 3;
    bounds += 8;
    weights += <usize>pairs << 3;
  }
}

function oneRgb(row: usize, out: usize, width: i32, bounds: usize, weights: usize, pairs: i32, order: v128): void {
  for (let x = 0; x < width; x++) {
    let at = row + <usize>load<i32>(bounds) * 3, k = weights;
    const end = k + (<usize>load<i32>(bounds, 4) << 3);
    let high = i32x4.splat(0), low = i32x4.splat(1 << (BITS - 1));
    for (; k < end; k += 8, at += 6) {
      const p = twoPixels(at, order);
      high = i32x4.add(high, i32x4.dot_i16x8_s(p, v128.load32_splat(k)));
      low = i32x4.add(low, i32x4.dot_i16x8_s(p, v128.load32_splat(k, 4)));
    }
    storePixel(out, high, low);
    out += 3;
    bounds += 8;
    weights += <usize>pairs << 3;
  }
}

function oneGray(row: usize, out: usize, width: i32, bounds: usize, weights: usize, pairs: i32): void {
  for (let x = 0; x < width; x++) {
    let at = row + <usize>load<i32>(bounds), k = weights;
    const end = k + (<usize>load<i32>(bounds, 4) << 3);
    let high: i32 = 0, low: i32 = 1 << (BITS - 1);
    for (; k < end; k += 8, at += 2) {
      const a = <i32>load<u8>(at), b = <i32>load<u8>(at, 1);
      high += a * load<i16>(k) + b * load<i16>(k, 2);
      low += a * load<i16>(k, 4) + b * load<i16>(k, 6);
    }
    store<u8>(out++, <u8>max(0, min(255, ((high << LOW_BITS) + low) >> BITS)));
    bounds += 8;
    weights += <usize>pairs << 3;
  }
}

/**
 * Resizes `rows` rows of `rowBytes` bytes horizontally to `width` pixels; rows of `out` lie tight. Reading pairs of
 * pixels goes up to 5 bytes beyond a row, so the last rows are read from a copy in `spare` (rowBytes + 24 bytes).
 */
export function resizeRows(src: usize, stride: usize, rowBytes: usize, rows: i32, channels: i32, width: i32, bounds: usize, weights: usize, pairs: i32, out: usize, spare: usize): void {
  const outStride = <usize>(width * channels);
  // rows that have `beyond` bytes of the picture after them, however narrow it is
  const last = max(0, rows - <i32>((5 + stride) / stride));
  // from memory: the engine builds a literal anew wherever it is used
  v128.store(spare, i8x16(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1));
  const order = v128.load(spare);
  let y = 0;
  if (channels == 3) {
    for (; y + 4 <= last; y += 4, src += stride << 2, out += outStride << 2) {
      fourRgb(src, src + stride, src + 2 * stride, src + 3 * stride, out, outStride, width, bounds, weights, pairs, order);
    }
  }
  for (; y < rows; y++, src += stride, out += outStride) {
    let row = src;
    if (y >= last) {
      row = spare + 16;
      memory.copy(row, src, rowBytes);
    }
    if (channels == 3) oneRgb(row, out, width, bounds, weights, pairs, order);
    else oneGray(row, out, width, bounds, weights, pairs);
  }
}
