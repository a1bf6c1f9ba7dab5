import { BITS } from './coefficients';
import { clip4, load4 } from './lanes';

/** One RGB pixel: the rounded sums, exactly three bytes. */
@inline
function storePixel(p: usize, sums: v128): void {
  const bytes = clip4(i32x4.shr_s(sums, BITS));
  v128.store_lane<u16>(p, bytes, 0);
  v128.store_lane<u8>(p, bytes, 2, 2);
}

@inline
function clip(sum: i32): u8 {
  return <u8>max(0, min(255, sum >> BITS));
}

/** Four rows of RGB; a pixel is read as four bytes. Rows may be the same one. */
function fourRgb(r0: usize, r1: usize, r2: usize, r3: usize, d0: usize, d1: usize, d2: usize, d3: usize, width: i32, bounds: usize, weights: usize, taps: i32): void {
  const half = i32x4.splat(1 << (BITS - 1));
  for (let x = 0; x < width; x++) {
    let at = <usize>load<i32>(bounds) * 3;
    let k = weights;
    const end = k + (<usize>load<i32>(bounds, 4) << 2);
    let a0 = half, a1 = half, a2 = half, a3 = half;
    for (; k < end; k += 4, at += 3) {
      const weight = v128.load32_splat(k);
      a0 = i32x4.add(a0, i32x4.mul(load4(r0 + at), weight));
      a1 = i32x4.add(a1, i32x4.mul(load4(r1 + at), weight));
      a2 = i32x4.add(a2, i32x4.mul(load4(r2 + at), weight));
      a3 = i32x4.add(a3, i32x4.mul(load4(r3 + at), weight));
    }
    storePixel(d0, a0);
    storePixel(d1, a1);
    storePixel(d2, a2);
    storePixel(d3, a3);
    d0 += 3; d1 += 3; d2 += 3; d3 += 3;
    bounds += 8;
    weights += <usize>taps << 2;
  }
}

function oneRgb(row: usize, out: usize, width: i32, bounds: usize, weights: usize, taps: i32): void {
  for (let x = 0; x < width; x++) {
    let at = row + <usize>load<i32>(bounds) * 3;
    let k = weights;
    const end = k + (<usize>load<i32>(bounds, 4) << 2);
    let sums = i32x4.splat(1 << (BITS - 1));
    for (; k < end; k += 4, at += 3) sums = i32x4.add(sums, i32x4.mul(load4(at), v128.load32_splat(k)));
    storePixel(out, sums);
    out += 3;
    bounds += 8;
    weights += <usize>taps << 2;
  }
}

function oneGray(row: usize, out: usize, width: i32, bounds: usize, weights: usize, taps: i32): void {
  for (let x = 0; x < width; x++) {
    let at = row + <usize>load<i32>(bounds);
    let k = weights;
    const end = k + (<usize>load<i32>(bounds, 4) << 2);
    let sum: i32 = 1 << (BITS - 1);
    for (; k < end; k += 4, at++) sum += <i32>load<u8>(at) * load<i32>(k);
    store<u8>(out++, clip(sum));
    bounds += 8;
    weights += <usize>taps << 2;
  }
}

/**
 * Resizes `rows` rows of `rowBytes` bytes horizontally to `width` pixels; rows of `out` lie tight. The last row is read
 * from a copy in `spare` (rowBytes + 1 bytes), because reading its last pixel as four bytes would leave the image.
 */
export function resizeRows(src: usize, stride: usize, rowBytes: usize, rows: i32, channels: i32, width: i32, bounds: usize, weights: usize, taps: i32, out: usize, spare: usize): void {
  const outStride = <usize>(width * channels);
  if (channels == 1) {
    for (let y = 0; y < rows; y++, src += stride, out += outStride) oneGray(src, out, width, bounds, weights, taps);
    return;
  }
  let y = 0;
  for (; y + 4 < rows; y += 4, src += stride << 2, out += outStride << 2) {
    fourRgb(src, src + stride, src + 2 * stride, src + 3 * stride,
      out, out + outStride, out + 2 * outStride, out + 3 * outStride, width, bounds, weights, taps);
  }
  for (; y < rows - 1; y++, src += stride, out += outStride) oneRgb(src, out, width, bounds, weights, taps);
  memory.copy(spare, src, rowBytes);
  oneRgb(spare, out, width, bounds, weights, taps);
}
