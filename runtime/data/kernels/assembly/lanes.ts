/** Between bytes and vector lanes. */

/** Four bytes as four i32 lanes. */
@inline
export function load4(p: usize): v128 {
  return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(p)));
}

/** Four i32 lanes, each clipped to 0…255, as the four low bytes. */
@inline
export function clip4(v: v128): v128 {
  const words = i16x8.narrow_i32x4_s(v, v);
  return i8x16.narrow_i16x8_u(words, words);
}

/** Sixteen i32 lanes, each clipped to 0…255, as 16 bytes. */
@inline
export function clip16(a: v128, b: v128, c: v128, d: v128): v128 {
  return i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d));
}
