/** Inverts bytes at or above the threshold (0…256), in place; `spare` holds 16 bytes. */
export function solarize(p: usize, bytes: usize, threshold: i32, spare: usize): void {
  if (threshold > 255) return;
  const t = i8x16.splat(<i8>threshold), end = p + (bytes & ~15);
  for (; p < end; p += 16) solarize16(p, t);
  memory.copy(spare, p, bytes & 15);
  solarize16(spare, t);
  memory.copy(p, spare, bytes & 15);
}

@inline
function solarize16(p: usize, threshold: v128): void {
  const v = v128.load(p);
  v128.store(p, v128.bitselect(v128.not(v), v, i8x16.ge_u(v, threshold)));
}

/** Keeps the bits of `mask` of every byte, in place. */
export function maskBytes(p: usize, bytes: usize, mask: i32): void {
  const m = i8x16.splat(<i8>mask), end = p + (bytes & ~15), last = p + bytes;
  for (; p < end; p += 16) v128.store(p, v128.and(v128.load(p), m));
  for (; p < last; p++) store<u8>(p, load<u8>(p) & <u8>mask);
}

/** Replaces each byte through the table of its channel (256 bytes each at `tables`), in place. */
export function lookUp(p: usize, pixels: usize, channels: i32, tables: usize): void {
  const end = p + pixels * <usize>channels;
  while (p < end) {
    for (let c: usize = 0; c < <usize>channels; c++, p++) store<u8>(p, load<u8>(tables + (c << 8) + <usize>load<u8>(p)));
  }
}

/** Smallest and largest byte of each channel: two bytes per channel at `out`. */
export function extrema(p: usize, pixels: usize, channels: i32, out: usize): void {
  for (let c: usize = 0; c < <usize>channels; c++) {
    store<u8>(out + 2 * c, 255);
    store<u8>(out + 2 * c, 0, 1);
  }
  let low0 = i8x16.splat(-1), low1 = low0, low2 = low0;
  let high0 = i8x16.splat(0), high1 = high0, high2 = high0;
  const last = p + pixels * <usize>channels;
  // 48 bytes begin a pixel whether it has one channel or three
  for (; p + 48 <= last; p += 48) {
    const a = v128.load(p), b = v128.load(p, 16), c = v128.load(p, 32);
    low0 = i8x16.min_u(low0, a); low1 = i8x16.min_u(low1, b); low2 = i8x16.min_u(low2, c);
    high0 = i8x16.max_u(high0, a); high1 = i8x16.max_u(high1, b); high2 = i8x16.max_u(high2, c);
  }
  widenExtrema(out, channels, 0, low0, high0);
  widenExtrema(out, channels, 16, low1, high1);
  widenExtrema(out, channels, 32, low2, high2);
  for (let c: usize = 0; p < last; p++, c = c + 1 == <usize>channels ? 0 : c + 1) include(out + 2 * c, load<u8>(p), load<u8>(p));
}

@inline
function include(out: usize, low: u8, high: u8): void {
  if (low < load<u8>(out)) store<u8>(out, low);
  if (high > load<u8>(out, 1)) store<u8>(out, high, 1);
}

/** Folds 16 lanes into the extrema of their channels; lane i is byte first + i of a block that begins a pixel. */
function widenExtrema(out: usize, channels: i32, first: i32, low: v128, high: v128): void {
  for (let i = 0; i < 16; i++) {
    const lane = i8x16.splat(<i8>i);
    const l = <u8>i8x16.extract_lane_u(i8x16.swizzle(low, lane), 0), h = <u8>i8x16.extract_lane_u(i8x16.swizzle(high, lane), 0);
    include(out + 2 * <usize>((first + i) % channels), l, h);
  }
}

/** How often each byte occurs in each channel: 256 u32 per channel at `counts`. */
export function histogram(p: usize, pixels: usize, channels: i32, counts: usize): void {
  memory.fill(counts, 0, <usize>channels << 10);
  const end = p + pixels * <usize>channels;
  while (p < end) {
    for (let c: usize = 0; c < <usize>channels; c++, p++) {
      const cell = counts + (c << 10) + (<usize>load<u8>(p) << 2);
      store<u32>(cell, load<u32>(cell) + 1);
    }
  }
}
