import { clip4 } from './lanes';

/** Beyond this radius a running sum is used; below it, summing the neighbours directly is faster and fits 16 bits. */
const DIRECT = 8;

/** (sum·inner + ends·outer + 2^23) >> 24 on four lanes. */
@inline
function weigh(sum: v128, ends: v128, inner: v128, outer: v128): v128 {
  const total = i32x4.add(i32x4.mul(sum, inner), i32x4.mul(ends, outer));
  return i32x4.shr_u(i32x4.add(total, i32x4.splat(1 << 23)), 24);
}

@inline
function weigh16(s0: v128, s1: v128, e0: v128, e1: v128, inner: v128, outer: v128): v128 {
  return i8x16.narrow_i16x8_u(
    i16x8.narrow_i32x4_s(
      weigh(i32x4.extend_low_i16x8_u(s0), i32x4.extend_low_i16x8_u(e0), inner, outer),
      weigh(i32x4.extend_high_i16x8_u(s0), i32x4.extend_high_i16x8_u(e0), inner, outer)),
    i16x8.narrow_i32x4_s(
      weigh(i32x4.extend_low_i16x8_u(s1), i32x4.extend_low_i16x8_u(e1), inner, outer),
      weigh(i32x4.extend_high_i16x8_u(s1), i32x4.extend_high_i16x8_u(e1), inner, outer)));
}

/** `blocks` blocks of 16 bytes; neighbours lie `step` bytes apart. */
function direct(src: usize, out: usize, blocks: i32, step: usize, radius: i32, inner: v128, outer: v128): void {
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
      i16x8.add(i16x8.extend_high_i8x16_u(a), i16x8.extend_high_i8x16_u(b)), inner, outer));
  }
}

@inline
function four(p: usize): v128 {
  return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(p)));
}

/** A running sum over `count` elements `step` bytes apart, for the four bytes at each. */
function running(src: usize, out: usize, count: i32, step: usize, radius: i32, inner: v128, outer: v128): void {
  const reach = <usize>radius * step, far = reach + step;
  let sum = i32x4.splat(0);
  for (let p = src - far; p < src + reach; p += step) sum = i32x4.add(sum, four(p));
  for (let i = 0; i < count; i++, src += step, out += step) {
    const left = four(src - far);
    sum = i32x4.add(sum, i32x4.sub(four(src + reach), left));
    v128.store_lane<u32>(out, clip4(weigh(sum, i32x4.add(left, four(src + far)), inner, outer)), 0);
  }
}

/** One box pass along a line of `count` elements, `step` bytes apart and `step` wide, padded by radius + 1 elements. */
export function boxLine(src: usize, out: usize, count: i32, step: usize, radius: i32, inner: u32, outer: u32): void {
  const a = i32x4.splat(inner), b = i32x4.splat(outer);
  if (radius <= DIRECT) direct(src, out, <i32>((<usize>count * step + 15) >> 4), step, radius, a, b);
  else if (step == 16) for (let lane: usize = 0; lane < 16; lane += 4) running(src + lane, out + lane, count, 16, radius, a, b);
  else running(src, out, count, step, radius, a, b);
}

/** Repeats the first and the last element `count` times outwards. */
export function padLine(line: usize, length: i32, step: usize, count: i32): void {
  const last = line + <usize>(length - 1) * step;
  for (let k: usize = 1; k <= <usize>count; k++) {
    memory.copy(line - k * step, line, step);
    memory.copy(last + k * step, last, step);
  }
}
