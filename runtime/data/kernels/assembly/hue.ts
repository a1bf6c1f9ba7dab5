/** Hue shift through Pillow's 8-bit HSV, four RGB pixels at a time, in float32 arranged so that every byte is Pillow's. */

// Vector constants lie in memory: the engine builds a literal anew, in several instructions, wherever it is used.
const RED = 0, GREEN = 16, BLUE = 32, TIGHT = 48, SHIFT = 64, ONE = 80, TWO = 96, THREE = 112, FOUR = 128, FIVE = 144;
const SIX = 160, HALF = 176, BYTE = 192, TURN = 208, PLACE = 224, PER_BYTE = 240, PER_SQUARE = 256, CONSTANTS = 272;

@inline
function storeConstants(at: usize, shift: i32): void {
  v128.store(at, i8x16(0, -1, -1, -1, 3, -1, -1, -1, 6, -1, -1, -1, 9, -1, -1, -1), RED);
  v128.store(at, i8x16(1, -1, -1, -1, 4, -1, -1, -1, 7, -1, -1, -1, 10, -1, -1, -1), GREEN);
  v128.store(at, i8x16(2, -1, -1, -1, 5, -1, -1, -1, 8, -1, -1, -1, 11, -1, -1, -1), BLUE);
  v128.store(at, i8x16(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1), TIGHT);
  v128.store(at, f32x4.splat(<f32>shift), SHIFT);
  v128.store(at, f32x4.splat(1.0), ONE);
  v128.store(at, f32x4.splat(2.0), TWO);
  v128.store(at, f32x4.splat(3.0), THREE);
  v128.store(at, f32x4.splat(4.0), FOUR);
  v128.store(at, f32x4.splat(5.0), FIVE);
  v128.store(at, f32x4.splat(6.0), SIX);
  v128.store(at, f32x4.splat(0.5), HALF);
  v128.store(at, f32x4.splat(255.0), BYTE);
  v128.store(at, f32x4.splat(256.0), TURN);
  v128.store(at, f32x4.splat(65536.0), PLACE);
  v128.store(at, f32x4.splat(1.0 / 255.0), PER_BYTE);
  v128.store(at, f32x4.splat(1.0 / 65025.0), PER_SQUARE);
}

@inline
function rounded(x: v128, k: usize): v128 {
  return f32x4.floor(f32x4.add(x, v128.load(k, HALF)));
}

@inline
function choose(condition: v128, yes: v128, no: v128): v128 {
  return v128.bitselect(yes, no, condition);
}

@inline
function shift4(p: usize, k: usize): void {
  const one = v128.load(k, ONE), v = v128.load(p);
  const r = i8x16.swizzle(v, v128.load(k, RED)), g = i8x16.swizzle(v, v128.load(k, GREEN)), b = i8x16.swizzle(v, v128.load(k, BLUE));
  const most = i8x16.max_u(r, i8x16.max_u(g, b)), least = i8x16.min_u(r, i8x16.min_u(g, b));
  const middle = i8x16.max_u(i8x16.min_u(r, g), i8x16.min_u(i8x16.max_u(r, g), b));

  const value = f32x4.convert_i32x4_s(most), chroma = f32x4.convert_i32x4_s(i32x4.sub(most, least));
  const q = f32x4.div(f32x4.convert_i32x4_s(i32x4.sub(most, middle)), chroma);
  const fromRed = choose(i32x4.lt_s(g, b), f32x4.sub(q, one), f32x4.sub(one, q));
  const fromGreen = choose(i32x4.gt_s(r, b), f32x4.add(one, q), f32x4.sub(v128.load(k, THREE), q));
  const fromBlue = choose(i32x4.gt_s(r, g), f32x4.sub(v128.load(k, FIVE), q), f32x4.add(v128.load(k, THREE), q));
  const sixths = choose(i32x4.eq(r, most), fromRed, choose(i32x4.eq(g, most), fromGreen, fromBlue));
  let turns = f32x4.div(sixths, v128.load(k, SIX));
  turns = f32x4.add(turns, v128.and(i32x4.shr_s(turns, 31), one)); // negative ones by their sign bit; never -0

  // Bytes of hue and saturation. That these products, and the quotients below, round to Pillow's bytes was established
  // by trying every colour and every (h, s, v).
  const byte = v128.load(k, BYTE), coloured = i32x4.ne(most, least);
  const s = v128.and(f32x4.trunc(f32x4.mul(f32x4.div(chroma, value), byte)), coloured);
  let h = f32x4.add(v128.and(f32x4.trunc(f32x4.mul(turns, byte)), coloured), v128.load(k, SHIFT));
  h = f32x4.sub(h, v128.and(f32x4.ge(h, v128.load(k, TURN)), v128.load(k, TURN)));

  const h6 = f32x4.mul(h, v128.load(k, SIX));
  const sector = f32x4.floor(f32x4.mul(f32x4.add(h6, v128.load(k, HALF)), v128.load(k, PER_BYTE)));
  const within = f32x4.sub(h6, f32x4.mul(sector, byte)), loss = f32x4.mul(value, s); // both whole numbers
  const low = rounded(f32x4.sub(value, f32x4.mul(loss, v128.load(k, PER_BYTE))), k);
  const falling = rounded(f32x4.sub(value, f32x4.mul(f32x4.mul(loss, within), v128.load(k, PER_SQUARE))), k);
  const rising = rounded(f32x4.sub(value, f32x4.mul(f32x4.mul(loss, f32x4.sub(byte, within)), v128.load(k, PER_SQUARE))), k);

  const s1 = f32x4.eq(sector, one), s2 = f32x4.eq(sector, v128.load(k, TWO)), s3 = f32x4.eq(sector, v128.load(k, THREE));
  const s4 = f32x4.eq(sector, v128.load(k, FOUR)), s5 = f32x4.eq(sector, v128.load(k, FIVE));
  const R = choose(s1, falling, choose(v128.or(s2, s3), low, choose(s4, rising, value)));
  const G = choose(v128.or(s1, s2), value, choose(s3, falling, choose(v128.or(s4, s5), low, rising)));
  const B = choose(s2, rising, choose(v128.or(s3, s4), value, choose(s5, falling, low)));

  // R + 256 G + 65536 B is exact in float32
  const packed = f32x4.add(f32x4.add(R, f32x4.mul(G, v128.load(k, TURN))), f32x4.mul(B, v128.load(k, PLACE)));
  const tight = i8x16.swizzle(i32x4.trunc_sat_f32x4_s(packed), v128.load(k, TIGHT));
  v128.store_lane<u64>(p, tight, 0);
  v128.store_lane<u32>(p, tight, 2, 8);
}

/** Adds `shift` (0…255) to the hue byte of RGB pixels, modulo 256, in place; `spare` holds 304 bytes. */
export function hue(p: usize, pixels: usize, shift: i32, spare: usize): void {
  const end = p + pixels * 3, rest = spare + CONSTANTS;
  storeConstants(spare, shift);
  for (; p + 16 <= end; p += 12) shift4(p, spare);
  memory.fill(rest, 0, 32);
  memory.copy(rest, p, end - p);
  shift4(rest, spare);
  shift4(rest + 12, spare);
  memory.copy(p, rest, end - p);
}
