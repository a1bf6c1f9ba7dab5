import { clip16 } from './lanes';
import { blend16 } from './blend';

@inline
function low(p: usize): v128 {
  return v128.load8x8_u(p);
}

/** 3×3 sums with the centre counted five times, of eight bytes. */
@inline
function sums8(p: usize, stride: usize, step: usize): v128 {
  const up = p - stride, down = p + stride;
  let sum = i16x8.add(low(up - step), i16x8.add(low(up), low(up + step)));
  sum = i16x8.add(sum, i16x8.add(low(p - step), low(p + step)));
  sum = i16x8.add(sum, i16x8.add(low(down - step), i16x8.add(low(down), low(down + step))));
  return i16x8.add(sum, i16x8.mul(low(p), i16x8.splat(5)));
}

/** round(x / 13) of u16 lanes up to 255·13; exact, as x / 13 is never half-way between integers. */
@inline
function thirteenths(a: v128, b: v128): v128 {
  const six = i16x8.splat(6), inverse = i16x8.splat(5042); // ceil(65536 / 13): exact below 6553
  a = i16x8.add(a, six);
  b = i16x8.add(b, six);
  return clip16(
    i32x4.shr_u(i32x4.extmul_low_i16x8_u(a, inverse), 16), i32x4.shr_u(i32x4.extmul_high_i16x8_u(a, inverse), 16),
    i32x4.shr_u(i32x4.extmul_low_i16x8_u(b, inverse), 16), i32x4.shr_u(i32x4.extmul_high_i16x8_u(b, inverse), 16));
}

@inline
function sharpen16(p: usize, stride: usize, step: usize, out: usize, share: v128): void {
  v128.store(out, blend16(thirteenths(sums8(p, stride, step), sums8(p + 8, stride, step)), v128.load(p), share));
}

function sharpen1(p: usize, stride: usize, step: usize, out: usize, share: f32): void {
  let sum: i32 = 4 * <i32>load<u8>(p);
  for (let row = p - stride; row <= p + stride; row += stride) {
    sum += <i32>load<u8>(row - step) + <i32>load<u8>(row) + <i32>load<u8>(row + step);
  }
  const smooth = (sum + 6) / 13;
  const value = <f32>smooth + share * <f32>(<i32>load<u8>(p) - smooth);
  store<u8>(out, <u8>max(0, min(255, <i32>value)));
}

/**
 * Blends the inner pixels of `src` with their smoothed neighbourhood into `out`, which already holds a copy of `src`:
 * the rim stays as it is.
 */
export function sharpness(src: usize, out: usize, width: i32, height: i32, channels: i32, share: f32): void {
  const stride = <usize>width * <usize>channels, step = <usize>channels, s = f32x4.splat(share);
  for (let y = 1; y < height - 1; y++) {
    const row = <usize>y * stride, end = row + stride - step;
    let i = row + step;
    for (; i + 16 <= end; i += 16) sharpen16(src + i, stride, step, out + i, s);
    if (end - row - step >= 16) {
      if (i < end) sharpen16(src + end - 16, stride, step, out + end - 16, s);
    } else for (; i < end; i++) sharpen1(src + i, stride, step, out + i, share);
  }
}
