/**
 * The inverse cosine transform of libjpeg's "islow" kind: 13-bit constants, two more bits between the passes, all sums
 * in 32 bits, so that every byte is the same. Loeffler, Ligtenberg and Moschytz 1989.
 */

/** Two factors for neighbouring 16-bit lanes. */
@inline
function pair(a: i32, b: i32): v128 {
  return i32x4.splat((a & 0xffff) | (b << 16));
}

@inline
function low(a: v128, b: v128): v128 {
  return v128.shuffle<i16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}

@inline
function high(a: v128, b: v128): v128 {
  return v128.shuffle<i16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}

@inline
function scaled(a: v128, b: v128, half: v128, bits: i32): v128 {
  return i16x8.narrow_i32x4_s(i32x4.shr_s(i32x4.add(a, half), bits), i32x4.shr_s(i32x4.add(b, half), bits));
}

/** Down the columns of eight rows of 16 bits at `p`, in place; rows and columns change places. */
@inline
function pass(p: usize, bits: i32): void {
  const half = i32x4.splat(1 << (bits - 1));
  const r0 = v128.load(p), r1 = v128.load(p, 16), r2 = v128.load(p, 32), r3 = v128.load(p, 48);
  const r4 = v128.load(p, 64), r5 = v128.load(p, 80), r6 = v128.load(p, 96), r7 = v128.load(p, 112);

  // rows 0, 2, 4, 6
  let a = low(r0, r4), b = high(r0, r4);
  const t0l = i32x4.dot_i16x8_s(a, pair(8192, 8192)), t0h = i32x4.dot_i16x8_s(b, pair(8192, 8192));
  const t1l = i32x4.dot_i16x8_s(a, pair(8192, -8192)), t1h = i32x4.dot_i16x8_s(b, pair(8192, -8192));
  a = low(r2, r6); b = high(r2, r6);
  const t3l = i32x4.dot_i16x8_s(a, pair(10703, 4433)), t3h = i32x4.dot_i16x8_s(b, pair(10703, 4433));
  const t2l = i32x4.dot_i16x8_s(a, pair(4433, -10704)), t2h = i32x4.dot_i16x8_s(b, pair(4433, -10704));
  const e0l = i32x4.add(t0l, t3l), e0h = i32x4.add(t0h, t3h), e3l = i32x4.sub(t0l, t3l), e3h = i32x4.sub(t0h, t3h);
  const e1l = i32x4.add(t1l, t2l), e1h = i32x4.add(t1h, t2h), e2l = i32x4.sub(t1l, t2l), e2h = i32x4.sub(t1h, t2h);

  // rows 1, 3, 5, 7
  const z3 = i16x8.add(r7, r3), z4 = i16x8.add(r5, r1);
  a = low(z3, z4); b = high(z3, z4);
  const z3l = i32x4.dot_i16x8_s(a, pair(-6436, 9633)), z3h = i32x4.dot_i16x8_s(b, pair(-6436, 9633));
  const z4l = i32x4.dot_i16x8_s(a, pair(9633, 6437)), z4h = i32x4.dot_i16x8_s(b, pair(9633, 6437));
  a = low(r7, r1); b = high(r7, r1);
  const o0l = i32x4.add(i32x4.dot_i16x8_s(a, pair(-4927, -7373)), z3l), o0h = i32x4.add(i32x4.dot_i16x8_s(b, pair(-4927, -7373)), z3h);
  const o3l = i32x4.add(i32x4.dot_i16x8_s(a, pair(-7373, 4926)), z4l), o3h = i32x4.add(i32x4.dot_i16x8_s(b, pair(-7373, 4926)), z4h);
  a = low(r5, r3); b = high(r5, r3);
  const o1l = i32x4.add(i32x4.dot_i16x8_s(a, pair(-4176, -20995)), z4l), o1h = i32x4.add(i32x4.dot_i16x8_s(b, pair(-4176, -20995)), z4h);
  const o2l = i32x4.add(i32x4.dot_i16x8_s(a, pair(-20995, 4177)), z3l), o2h = i32x4.add(i32x4.dot_i16x8_s(b, pair(-20995, 4177)), z3h);

  const s0 = scaled(i32x4.add(e0l, o3l), i32x4.add(e0h, o3h), half, bits), s7 = scaled(i32x4.sub(e0l, o3l), i32x4.sub(e0h, o3h), half, bits);
  const s1 = scaled(i32x4.add(e1l, o2l), i32x4.add(e1h, o2h), half, bits), s6 = scaled(i32x4.sub(e1l, o2l), i32x4.sub(e1h, o2h), half, bits);
  const s2 = scaled(i32x4.add(e2l, o1l), i32x4.add(e2h, o1h), half, bits), s5 = scaled(i32x4.sub(e2l, o1l), i32x4.sub(e2h, o1h), half, bits);
  const s3 = scaled(i32x4.add(e3l, o0l), i32x4.add(e3h, o0h), half, bits), s4 = scaled(i32x4.sub(e3l, o0l), i32x4.sub(e3h, o0h), half, bits);

  // transpose
  const a0 = low(s0, s4), a1 = high(s0, s4), a2 = low(s1, s5), a3 = high(s1, s5);
  const a4 = low(s2, s6), a5 = high(s2, s6), a6 = low(s3, s7), a7 = high(s3, s7);
  const b0 = low(a0, a4), b1 = high(a0, a4), b2 = low(a2, a6), b3 = high(a2, a6);
  const b4 = low(a1, a5), b5 = high(a1, a5), b6 = low(a3, a7), b7 = high(a3, a7);
  v128.store(p, low(b0, b2)); v128.store(p, high(b0, b2), 16);
  v128.store(p, low(b1, b3), 32); v128.store(p, high(b1, b3), 48);
  v128.store(p, low(b4, b6), 64); v128.store(p, high(b4, b6), 80);
  v128.store(p, low(b5, b7), 96); v128.store(p, high(b5, b7), 112);
}

/** Two rows of 16 bits as bytes about 128. */
@inline
function bytes(p: usize): v128 {
  return v128.xor(i8x16.narrow_i16x8_s(v128.load(p), v128.load(p, 16)), i8x16.splat(-128));
}

/** The block of coefficients at `block`, which is lost, as 8×8 bytes. */
export function idct(block: usize, out: usize, stride: usize): void {
  pass(block, 11);
  pass(block, 18);
  for (let y = 0; y < 4; y++, block += 32, out += 2 * stride) {
    const rows = bytes(block);
    v128.store_lane<u64>(out, rows, 0);
    v128.store_lane<u64>(out + stride, rows, 1);
  }
}

/** A block of nothing but its mean. */
export function idctFlat(dc: i32, out: usize, stride: usize): void {
  const level = max(-128, min(127, (dc + 4) >> 3)) + 128, row = <u64>level * 0x0101010101010101;
  for (let y = 0; y < 8; y++, out += stride) store<u64>(out, row);
}
