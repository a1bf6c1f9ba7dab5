import { clip16, clip4 } from './lanes';

/** Beyond this radius a running sum is used; below it, summing the neighbours directly is faster and fits 16 bits. */
const DIRECT = 8;

/** (sum·inner + ends·outer + 2^23) >> 24 on four lanes. */
@inline
function weigh(sum: v128, ends: v128, inner: v128, outer: v128, half: v128): v128 {
  return i32x4.shr_u(i32x4.add(i32x4.add(i32x4.mul(sum, inner), i32x4.mul(ends, outer)), half), 24);
}

/** The same for four lanes of (sum, ends) pairs of 16 bits; weights as 12-bit halves: (inner, outer) pairs. */
@inline
function weighPairs(pairs: v128, high: v128, low: v128, half: v128): v128 {
  const total = i32x4.add(i32x4.shl(i32x4.dot_i16x8_s(pairs, high), 12), i32x4.dot_i16x8_s(pairs, low));
  return i32x4.shr_u(i32x4.add(total, half), 24);
}

@inline
function weigh16(s0: v128, s1: v128, e0: v128, e1: v128, high: v128, low: v128, half: v128): v128 {
  return clip16(
    weighPairs(v128.shuffle<i16>(s0, e0, 0, 8, 1, 9, 2, 10, 3, 11), high, low, half),
    weighPairs(v128.shuffle<i16>(s0, e0, 4, 12, 5, 13, 6, 14, 7, 15), high, low, half),
    weighPairs(v128.shuffle<i16>(s1, e1, 0, 8, 1, 9, 2, 10, 3, 11), high, low, half),
    weighPairs(v128.shuffle<i16>(s1, e1, 4, 12, 5, 13, 6, 14, 7, 15), high, low, half));
}

/** `blocks` blocks of 16 bytes; neighbours lie `step` bytes apart. */
function direct(src: usize, out: usize, blocks: i32, step: usize, radius: i32, high: v128, low: v128, half: v128): void {
  const far = <usize>(radius + 1) * step;
  for (let i = 0; i < blocks; i++, src += 16, out += 16) {
    const v = v128.load(src);
    let s0 = i16x8.extend_low_i8x16_u(v), s1 = i16x8.extend_high_i8x16_u(v);
    for (let k = step; k < far; k += step) {
      const a = v128.load(src - k), b = v128.load(src + k);
      s0 = i16x8.add(s0, i16x8.add(i16x8.extend_low_i8x16_u(a), i16x8.extend_low_i8x16_u(b)));
      s1 = i16x8.add(s1, i16x8.add(i16x8.extend_high_i8x16_u(a), i16x8.extend_high_i8x16_u(b)));
    }
    const a = v128.load(src - far), b = v128.load(src + far);
    v128.store(out, weigh16(s0, s1,
      i16x8.add(i16x8.extend_low_i8x16_u(a), i16x8.extend_low_i8x16_u(b)),
      i16x8.add(i16x8.extend_high_i8x16_u(a), i16x8.extend_high_i8x16_u(b)), high, low, half));
  }
}

@inline
function four(p: usize): v128 {
  return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(p)));
}

/** A running sum over `count` elements `step` bytes apart, for the four bytes at each. */
function running(src: usize, out: usize, count: i32, step: usize, radius: i32, inner: v128, outer: v128, half: v128): void {
  const reach = <usize>radius * step, far = reach + step;
  let sum = i32x4.splat(0);
  for (let p = src - far; p < src + reach; p += step) sum = i32x4.add(sum, four(p));
  for (let i = 0; i < count; i++, src += step, out += step) {
    const left = four(src - far);
    sum = i32x4.add(sum, i32x4.sub(four(src + reach), left));
    v128.store_lane<u32>(out, clip4(weigh(sum, i32x4.add(left, four(src + far)), inner, outer, half)), 0);
  }
}

/**
 * One box pass along a line of `count` elements, `step` bytes apart and `step` wide, padded by radius + 1 elements.
 * `inner` and `outer` weigh the elements within the radius and the two just outside, in 24 bits; `rounding` is 2^23,
 * a parameter because the engine builds a literal anew wherever it is used.
 */
export function boxLine(src: usize, out: usize, count: i32, step: usize, radius: i32, inner: u32, outer: u32, rounding: u32): void {
  const half = i32x4.splat(rounding);
  if (radius <= DIRECT) {
    const high = i32x4.splat((inner >> 12) | ((outer >> 12) << 16)), low = i32x4.splat((inner & 4095) | ((outer & 4095) << 16));
    return direct(src, out, <i32>((<usize>count * step + 15) >> 4), step, radius, high, low, half);
  }
  const a = i32x4.splat(inner), b = i32x4.splat(outer);
  if (step == 16) for (let lane: usize = 0; lane < 16; lane += 4) running(src + lane, out + lane, count, 16, radius, a, b, half);
  else running(src, out, count, step, radius, a, b, half);
}

/** Repeats the first and the last element `count` times outwards. */
export function padLine(line: usize, length: i32, step: usize, count: i32): void {
  const last = line + <usize>(length - 1) * step, reach = <usize>count * step;
  if (step == 16) {
    const a = v128.load(line), b = v128.load(last);
    for (let k = step; k <= reach; k += step) {
      v128.store(line - k, a);
      v128.store(last + k, b);
    }
    return;
  }
  for (let k: usize = 0; k < reach; k++) {
    store<u8>(line - 1 - k, load<u8>(line - 1 - k + step));
    store<u8>(last + step + k, load<u8>(last + k));
  }
}
