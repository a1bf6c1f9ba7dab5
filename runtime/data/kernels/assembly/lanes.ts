/** Moves between packed pixels and vector lanes. */

/** The red bytes of 16 packed RGB pixels (a, b, c). */
@inline
export function red(a: v128, b: v128, c: v128): v128 {
  const ab = v128.shuffle<i8>(a, b, 0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 0, 0, 0, 0, 0);
  return v128.shuffle<i8>(ab, c, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 17, 20, 23, 26, 29);
}

@inline
export function green(a: v128, b: v128, c: v128): v128 {
  const ab = v128.shuffle<i8>(a, b, 1, 4, 7, 10, 13, 16, 19, 22, 25, 28, 31, 0, 0, 0, 0, 0);
  return v128.shuffle<i8>(ab, c, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 18, 21, 24, 27, 30);
}

@inline
export function blue(a: v128, b: v128, c: v128): v128 {
  const ab = v128.shuffle<i8>(a, b, 2, 5, 8, 11, 14, 17, 20, 23, 26, 29, 0, 0, 0, 0, 0, 0);
  return v128.shuffle<i8>(ab, c, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 19, 22, 25, 28, 31);
}

/** Stores 16 pixels, given as three planes, as 48 packed bytes. */
@inline
export function storePacked(p: usize, r: v128, g: v128, b: v128): void {
  const rg0 = v128.shuffle<i8>(r, g, 0, 16, 0, 1, 17, 0, 2, 18, 0, 3, 19, 0, 4, 20, 0, 5);
  const rg1 = v128.shuffle<i8>(r, g, 21, 0, 6, 22, 0, 7, 23, 0, 8, 24, 0, 9, 25, 0, 10, 26);
  const rg2 = v128.shuffle<i8>(r, g, 0, 11, 27, 0, 12, 28, 0, 13, 29, 0, 14, 30, 0, 15, 31, 0);
  v128.store(p, v128.shuffle<i8>(rg0, b, 0, 1, 16, 3, 4, 17, 6, 7, 18, 9, 10, 19, 12, 13, 20, 15));
  v128.store(p, v128.shuffle<i8>(rg1, b, 0, 21, 2, 3, 22, 5, 6, 23, 8, 9, 24, 11, 12, 25, 14, 15), 16);
  v128.store(p, v128.shuffle<i8>(rg2, b, 26, 1, 2, 27, 4, 5, 28, 7, 8, 29, 10, 11, 30, 13, 14, 31), 32);
}

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
