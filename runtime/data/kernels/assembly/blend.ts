import { clip16 } from './lanes';

@inline
function blend4(from: v128, to: v128, share: v128): v128 {
  const step = f32x4.mul(share, f32x4.convert_i32x4_s(i32x4.sub(to, from)));
  return i32x4.trunc_sat_f32x4_s(f32x4.add(f32x4.convert_i32x4_s(from), step));
}

/** from + share·(to - from) on 16 bytes, in float32, truncated and clipped; share may lie outside 0…1. */
@inline
export function blend16(from: v128, to: v128, share: v128): v128 {
  const fl = i16x8.extend_low_i8x16_u(from), fh = i16x8.extend_high_i8x16_u(from);
  const tl = i16x8.extend_low_i8x16_u(to), th = i16x8.extend_high_i8x16_u(to);
  return clip16(
    blend4(i32x4.extend_low_i16x8_u(fl), i32x4.extend_low_i16x8_u(tl), share),
    blend4(i32x4.extend_high_i16x8_u(fl), i32x4.extend_high_i16x8_u(tl), share),
    blend4(i32x4.extend_low_i16x8_u(fh), i32x4.extend_low_i16x8_u(th), share),
    blend4(i32x4.extend_high_i16x8_u(fh), i32x4.extend_high_i16x8_u(th), share));
}

/** Blends `bytes` bytes with one value, in place; `spare` holds 16 bytes. Brightness: 0; contrast: the mean gray. */
export function blendConstant(p: usize, bytes: usize, value: i32, share: f32, spare: usize): void {
  const from = i8x16.splat(<i8>value), s = f32x4.splat(share);
  const end = p + (bytes & ~15);
  for (; p < end; p += 16) v128.store(p, blend16(from, v128.load(p), s));
  memory.copy(spare, p, bytes & 15);
  v128.store(spare, blend16(from, v128.load(spare), s));
  memory.copy(p, spare, bytes & 15);
}
