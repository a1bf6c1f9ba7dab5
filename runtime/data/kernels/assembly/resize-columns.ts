import { BITS, LOW_BITS } from './coefficients';
import { clip16 } from './lanes';

@inline
function descale(high: v128, low: v128): v128 {
  return i32x4.shr_s(i32x4.add(i32x4.shl(high, LOW_BITS), low), BITS);
}

/** Sixteen neighbouring bytes of one output row, from pairs of input rows; an odd last weight meets `src` twice. */
@inline
function sixteen(p: usize, stride: usize, k: usize, end: usize, last: usize): v128 {
  const half = i32x4.splat(1 << (BITS - 1)), none = i32x4.splat(0);
  let h0 = none, h1 = none, h2 = none, h3 = none, l0 = half, l1 = half, l2 = half, l3 = half;
  for (; k < end; k += 8, p += stride << 1) {
    const high = v128.load32_splat(k), low = v128.load32_splat(k, 4);
    const a = v128.load(p), b = v128.load(min(p + stride, last));
    const front = v128.shuffle<i8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const back = v128.shuffle<i8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    const p0 = i16x8.extend_low_i8x16_u(front), p1 = i16x8.extend_high_i8x16_u(front);
    const p2 = i16x8.extend_low_i8x16_u(back), p3 = i16x8.extend_high_i8x16_u(back);
    h0 = i32x4.add(h0, i32x4.dot_i16x8_s(p0, high)); l0 = i32x4.add(l0, i32x4.dot_i16x8_s(p0, low));
    h1 = i32x4.add(h1, i32x4.dot_i16x8_s(p1, high)); l1 = i32x4.add(l1, i32x4.dot_i16x8_s(p1, low));
    h2 = i32x4.add(h2, i32x4.dot_i16x8_s(p2, high)); l2 = i32x4.add(l2, i32x4.dot_i16x8_s(p2, low));
    h3 = i32x4.add(h3, i32x4.dot_i16x8_s(p3, high)); l3 = i32x4.add(l3, i32x4.dot_i16x8_s(p3, low));
  }
  return clip16(descale(h0, l0), descale(h1, l1), descale(h2, l2), descale(h3, l3));
}

@inline
function single(p: usize, stride: usize, k: usize, end: usize, last: usize): u8 {
  let high: i32 = 0, low: i32 = 1 << (BITS - 1);
  for (; k < end; k += 8, p += stride << 1) {
    const a = <i32>load<u8>(p), b = <i32>load<u8>(min(p + stride, last));
    high += a * load<i16>(k) + b * load<i16>(k, 2);
    low += a * load<i16>(k, 4) + b * load<i16>(k, 6);
  }
  return <u8>max(0, min(255, ((high << LOW_BITS) + low) >> BITS));
}

/**
 * Resizes `rows` rows of `rowBytes` bytes vertically to `height` rows; `out` is tight and apart from `src`. A last odd
 * weight, which is 0, would meet the row after the last: there the last row itself stands in.
 */
export function resizeColumns(src: usize, stride: usize, rowBytes: usize, rows: i32, height: i32, bounds: usize, weights: usize, pairs: i32, out: usize): void {
  const last = src + <usize>(rows - 1) * stride;
  for (let y = 0; y < height; y++) {
    const top = src + <usize>load<i32>(bounds) * stride;
    const end = weights + (<usize>load<i32>(bounds, 4) << 3);
    let x: usize = 0;
    for (; x + 16 <= rowBytes; x += 16) v128.store(out + x, sixteen(top + x, stride, weights, end, last + x));
    if (x < rowBytes) {
      if (rowBytes >= 16) {
        x = rowBytes - 16;
        v128.store(out + x, sixteen(top + x, stride, weights, end, last + x));
      } else for (; x < rowBytes; x++) store<u8>(out + x, single(top + x, stride, weights, end, last + x));
    }
    out += rowBytes;
    bounds += 8;
    weights += <usize>pairs << 3;
  }
}
