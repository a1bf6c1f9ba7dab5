import { BITS } from './coefficients';
import { clip16 } from './lanes';

/** Sixteen neighbouring bytes of one output row. */
@inline
function sixteen(p: usize, stride: usize, k: usize, end: usize): v128 {
  const half = i32x4.splat(1 << (BITS - 1));
  let a = half, b = half, c = half, d = half;
  for (; k < end; k += 4, p += stride) {
    const weight = v128.load32_splat(k), v = v128.load(p);
    const low = i16x8.extend_low_i8x16_u(v), high = i16x8.extend_high_i8x16_u(v);
    a = i32x4.add(a, i32x4.mul(i32x4.extend_low_i16x8_u(low), weight));
    b = i32x4.add(b, i32x4.mul(i32x4.extend_high_i16x8_u(low), weight));
    c = i32x4.add(c, i32x4.mul(i32x4.extend_low_i16x8_u(high), weight));
    d = i32x4.add(d, i32x4.mul(i32x4.extend_high_i16x8_u(high), weight));
  }
  return clip16(i32x4.shr_s(a, BITS), i32x4.shr_s(b, BITS), i32x4.shr_s(c, BITS), i32x4.shr_s(d, BITS));
}

@inline
function single(p: usize, stride: usize, k: usize, end: usize): u8 {
  let sum: i32 = 1 << (BITS - 1);
  for (; k < end; k += 4, p += stride) sum += <i32>load<u8>(p) * load<i32>(k);
  return <u8>max(0, min(255, sum >> BITS));
}

/** Resizes vertically to `height` rows of `rowBytes` bytes; `out` is tight and apart from `src`. */
export function resizeColumns(src: usize, stride: usize, rowBytes: usize, height: i32, bounds: usize, weights: usize, taps: i32, out: usize): void {
  for (let y = 0; y < height; y++) {
    const top = src + <usize>load<i32>(bounds) * stride;
    const end = weights + (<usize>load<i32>(bounds, 4) << 2);
    let x: usize = 0;
    for (; x + 16 <= rowBytes; x += 16) v128.store(out + x, sixteen(top + x, stride, weights, end));
    if (x < rowBytes) {
      if (rowBytes >= 16) v128.store(out + rowBytes - 16, sixteen(top + rowBytes - 16, stride, weights, end));
      else for (; x < rowBytes; x++) store<u8>(out + x, single(top + x, stride, weights, end));
    }
    out += rowBytes;
    bounds += 8;
    weights += <usize>taps << 2;
  }
}
