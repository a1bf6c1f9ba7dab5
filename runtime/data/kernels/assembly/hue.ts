/** Hue shift through Pillow's 8-bit HSV, four RGB pixels at a time, in float32 arranged so that every byte is Pillow's. */

/** Every third of 12 packed bytes, from `first`, as four float lanes. */
@inline
function channel(v: v128, indices: v128): v128 {
  return f32x4.convert_i32x4_s(i8x16.swizzle(v, indices));
}

/** trunc(x · 255) of the exact product, for x in [0, 1]: float32's product may be rounded up to the next integer. */
@inline
function byteOf(x: v128): v128 {
  const t = f32x4.trunc(f32x4.mul(x, f32x4.splat(255.0)));
  const tooHigh = f32x4.lt(f32x4.sub(f32x4.mul(x, f32x4.splat(256.0)), t), x);
  return f32x4.sub(t, v128.and(tooHigh, f32x4.splat(1.0)));
}

@inline
function rounded(x: v128): v128 {
  return f32x4.floor(f32x4.add(x, f32x4.splat(0.5)));
}

@inline
function choose(condition: v128, yes: v128, no: v128): v128 {
  return v128.bitselect(yes, no, condition);
}

@inline
function shift4(p: usize, shift: v128): void {
  const one = f32x4.splat(1.0), zero = f32x4.splat(0.0);
  const v = v128.load(p);
  const r = channel(v, i8x16(0, -1, -1, -1, 3, -1, -1, -1, 6, -1, -1, -1, 9, -1, -1, -1));
  const g = channel(v, i8x16(1, -1, -1, -1, 4, -1, -1, -1, 7, -1, -1, -1, 10, -1, -1, -1));
  const b = channel(v, i8x16(2, -1, -1, -1, 5, -1, -1, -1, 8, -1, -1, -1, 11, -1, -1, -1));

  const value = f32x4.max(r, f32x4.max(g, b)), least = f32x4.min(r, f32x4.min(g, b));
  const chroma = f32x4.sub(value, least);
  const middle = f32x4.sub(f32x4.sub(f32x4.add(r, f32x4.add(g, b)), value), least);
  const q = f32x4.div(f32x4.sub(value, middle), chroma);
  const redMost = f32x4.eq(r, value), greenMost = f32x4.eq(g, value);
  const fromRed = choose(f32x4.ge(g, b), f32x4.sub(one, q), f32x4.sub(q, one));
  const fromGreen = choose(f32x4.le(r, b), f32x4.sub(f32x4.splat(3.0), q), f32x4.add(one, q));
  const fromBlue = choose(f32x4.le(r, g), f32x4.add(f32x4.splat(3.0), q), f32x4.sub(f32x4.splat(5.0), q));
  let sixth = f32x4.div(choose(redMost, fromRed, choose(greenMost, fromGreen, fromBlue)), f32x4.splat(6.0));
  sixth = f32x4.add(sixth, v128.and(f32x4.lt(sixth, zero), one));

  const gray = f32x4.eq(chroma, zero);
  const s = f32x4.div(v128.andnot(byteOf(f32x4.div(chroma, value)), gray), f32x4.splat(255.0));
  let h = f32x4.add(v128.andnot(byteOf(sixth), gray), shift);
  h = f32x4.sub(h, v128.and(f32x4.ge(h, f32x4.splat(256.0)), f32x4.splat(256.0)));

  const turn = f32x4.div(f32x4.mul(h, f32x4.splat(6.0)), f32x4.splat(255.0));
  const sector = f32x4.floor(turn), f = f32x4.sub(turn, sector);
  const low = rounded(f32x4.mul(value, f32x4.sub(one, s)));
  const falling = rounded(f32x4.mul(value, f32x4.sub(one, f32x4.mul(s, f))));
  const rising = rounded(f32x4.mul(value, f32x4.sub(one, f32x4.mul(s, f32x4.sub(one, f)))));

  const s1 = f32x4.eq(sector, one), s2 = f32x4.eq(sector, f32x4.splat(2.0)), s3 = f32x4.eq(sector, f32x4.splat(3.0));
  const s4 = f32x4.eq(sector, f32x4.splat(4.0)), s5 = f32x4.eq(sector, f32x4.splat(5.0));
  const R = choose(s1, falling, choose(v128.or(s2, s3), low, choose(s4, rising, value)));
  const G = choose(v128.or(s1, s2), value, choose(s3, falling, choose(v128.or(s4, s5), low, rising)));
  const B = choose(s2, rising, choose(v128.or(s3, s4), value, choose(s5, falling, low)));

  const packed = v128.or(i32x4.trunc_sat_f32x4_s(R), v128.or(
    i32x4.shl(i32x4.trunc_sat_f32x4_s(G), 8), i32x4.shl(i32x4.trunc_sat_f32x4_s(B), 16)));
  const tight = i8x16.swizzle(packed, i8x16(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1));
  v128.store_lane<u64>(p, tight, 0);
  v128.store_lane<u32>(p, tight, 2, 8);
}

/** Adds `shift` (0…255) to the hue byte of RGB pixels, modulo 256, in place; `spare` holds 32 bytes. */
export function hue(p: usize, pixels: usize, shift: i32, spare: usize): void {
  const s = f32x4.splat(<f32>shift), end = p + pixels * 3;
  for (; p + 16 <= end; p += 12) shift4(p, s);
  const rest = end - p;
  memory.fill(spare, 0, 32);
  memory.copy(spare, p, rest);
  shift4(spare, s);
  shift4(spare + 12, s);
  memory.copy(p, spare, rest);
}
