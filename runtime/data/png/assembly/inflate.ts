import { buildTable, DISTANCES, END_OF_BLOCK, FAST_MASK, LENGTHS, LITERAL, LITERALS, longCode, TABLE } from './huffman';

const literals = memory.data(<i32>TABLE, 16), distances = memory.data(<i32>TABLE, 16), lengths = memory.data(<i32>TABLE, 16);
const CODE_LENGTHS = memory.data(288 + 32, 16);
/** The order in which the lengths of the codes for lengths come. RFC 1951, 3.2.7. */
const ORDER = memory.data<u8>([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]);

// What is read: the next bits, how many of them count, where the next bytes lie, and where the last ones end.
let bits: u64 = 0, have = 0, at: usize = 0, end: usize = 0;

/** At least 56 bits; the bits after those that count are the same as will be read. */
@inline
function refill(): void {
  bits |= load<u64>(at) << have;
  at += (63 - have) >> 3;
  have |= 56;
}

@inline
function take(count: i32): i32 {
  const value = <i32>bits & ((1 << count) - 1);
  bits >>= count; have -= count;
  return value;
}

/** Nothing was taken from behind the end. */
@inline
function within(): bool {
  return at - <usize>(have >> 3) <= end;
}

/** A block as it is: two bytes that say its length, the same inverted, and the bytes. Returns where they end; 0 if wrong. */
function copyBlock(out: usize, limit: usize): usize {
  at -= <usize>(have >> 3);
  bits = 0; have = 0;
  const length = <usize>load<u16>(at), inverted = <usize>load<u16>(at + 2);
  at += 4;
  if ((length ^ inverted) != 0xffff || at + length > end || out + length > limit) return 0;
  memory.copy(out, at, length);
  at += length;
  return out + length;
}

function fixedTables(): bool {
  memory.fill(CODE_LENGTHS, 8, 144);
  memory.fill(CODE_LENGTHS + 144, 9, 112);
  memory.fill(CODE_LENGTHS + 256, 7, 24);
  memory.fill(CODE_LENGTHS + 280, 8, 8);
  memory.fill(CODE_LENGTHS + 288, 5, 32);
  return buildTable(literals, LITERALS, CODE_LENGTHS, 288) && buildTable(distances, DISTANCES, CODE_LENGTHS + 288, 32);
}

function readTables(): bool {
  refill();
  const literalCount = take(5) + 257, distanceCount = take(5) + 1, lengthCount = take(4) + 4;
  if (literalCount > 286 || distanceCount > 30) return false;
  memory.fill(CODE_LENGTHS, 0, 19);
  for (let i = 0; i < lengthCount; i++) {
    refill();
    store<u8>(CODE_LENGTHS + load<u8>(ORDER + i), <u8>take(3));
  }
  if (!buildTable(lengths, LENGTHS, CODE_LENGTHS, 19)) return false;
  const count = literalCount + distanceCount;
  let before: u8 = 0;
  for (let i = 0; i < count;) {
    if (!within()) return false;
    refill();
    const entry = load<u32>(lengths + (<usize>(bits & FAST_MASK) << 2)), symbol = (entry >> 16) & 31;
    take(entry & 255);
    if (symbol < 16) {
      before = <u8>symbol;
      store<u8>(CODE_LENGTHS + i++, before);
      continue;
    }
    if (symbol == 16 && i == 0) return false;
    if (symbol > 16) before = 0;
    const repeat = symbol == 16 ? 3 + take(2) : symbol == 17 ? 3 + take(3) : 11 + take(7);
    if (i + repeat > count) return false;
    memory.fill(CODE_LENGTHS + i, before, repeat);
    i += repeat;
  }
  return load<u8>(CODE_LENGTHS, 256) != 0
    && buildTable(literals, LITERALS, CODE_LENGTHS, literalCount)
    && buildTable(distances, DISTANCES, CODE_LENGTHS + literalCount, distanceCount);
}

@inline
function repeatBytes(out: usize, distance: usize, length: usize): void {
  const stop = out + length;
  let from = out - distance;
  if (distance >= 16) {
    for (; out < stop; out += 16, from += 16) v128.store(out, v128.load(from));
  } else if (distance >= 8) {
    for (; out < stop; out += 8, from += 8) store<u64>(out, load<u64>(from));
  } else {
    for (; out < stop; out++, from++) store<u8>(out, load<u8>(from));
  }
}

/** A block of codes. Returns where its bytes end; 0 if they are more than fit, or the codes are wrong. */
function decodeBlock(start: usize, out: usize, limit: usize, window: usize): usize {
  let b = bits, h = have, p = at;
  while (true) {
    // a literal or a length, and a distance, have 48 bits at most
    if (h < 48) {
      if (p > end + 8) return 0;
      b |= load<u64>(p) << h; p += (63 - h) >> 3; h |= 56;
    }
    let entry = load<u32>(literals + (<usize>(b & FAST_MASK) << 2));
    if (entry == 0) {
      entry = longCode(literals, LITERALS, b);
      if (entry == 0) return 0;
    }
    let taken = entry & 255, code = (entry >> 8) & 15;
    if (entry & LITERAL) {
      if (out == limit) return 0;
      store<u8>(out++, <u8>(entry >> 16));
      b >>= taken; h -= taken;
      continue;
    }
    if (entry & END_OF_BLOCK) {
      bits = b >> taken; have = h - taken; at = p;
      return out;
    }
    const length = <usize>((entry >> 16) + (<u32>(b >> code) & ((1 << (taken - code)) - 1)));
    b >>= taken; h -= taken;
    entry = load<u32>(distances + (<usize>(b & FAST_MASK) << 2));
    if (entry == 0) {
      entry = longCode(distances, DISTANCES, b);
      if (entry == 0) return 0;
    }
    taken = entry & 255; code = (entry >> 8) & 15;
    const distance = <usize>((entry >> 16) + (<u32>(b >> code) & ((1 << (taken - code)) - 1)));
    b >>= taken; h -= taken;
    if (distance > out - start || distance > window || length > limit - out) return 0;
    repeatBytes(out, distance, length);
    out += length;
  }
}

const WEIGHTS_LOW = i16x8(16, 15, 14, 13, 12, 11, 10, 9), WEIGHTS_HIGH = i16x8(8, 7, 6, 5, 4, 3, 2, 1);

/** The check sum of RFC 1950. */
function adler32(p: usize, size: usize): u32 {
  let sum: u32 = 1, sums: u32 = 0;
  while (size > 0) {
    // as many bytes as keep both below 2³²
    const part = min(size, <usize>5536), wide = p + (part & ~15), stop = p + part;
    for (; p < wide; p += 16) {
      const v = v128.load(p), low = i16x8.extend_low_i8x16_u(v), high = i16x8.extend_high_i8x16_u(v);
      const weighed = i32x4.add(i32x4.dot_i16x8_s(low, WEIGHTS_LOW), i32x4.dot_i16x8_s(high, WEIGHTS_HIGH));
      const plain = i32x4.extadd_pairwise_i16x8_u(i16x8.add(low, high));
      sums += 16 * sum + across(weighed);
      sum += across(plain);
    }
    for (; p < stop; p++) {
      sum += load<u8>(p);
      sums += sum;
    }
    sum %= 65521; sums %= 65521;
    size -= part;
  }
  return (sums << 16) | sum;
}

@inline
function across(v: v128): u32 {
  return i32x4.extract_lane(v, 0) + i32x4.extract_lane(v, 1) + i32x4.extract_lane(v, 2) + i32x4.extract_lane(v, 3);
}

/**
 * Decompresses a zlib stream (RFC 1950) of `size` bytes from `from`…`to` to `out`. Returns false when it is damaged, or
 * these are not its ends. Up to 1,024 bytes after `to` are readable, and 16 after `out` + `size` writable.
 */
export function inflate(from: usize, to: usize, out: usize, size: usize): bool {
  if (to - from < 6) return false;
  const method = <u32>load<u8>(from), flags = <u32>load<u8>(from, 1);
  // Deflate, a window up to 32 KiB, no dictionary
  if ((method & 15) != 8 || method >> 4 > 7 || (method * 256 + flags) % 31 != 0 || flags & 32) return false;
  const window: usize = 1 << ((method >> 4) + 8), start = out, limit = out + size;
  bits = 0; have = 0; at = from + 2; end = to - 4;
  for (let final = 0; final == 0;) {
    if (!within()) return false;
    refill();
    final = take(1);
    const kind = take(2);
    if (kind == 0) out = copyBlock(out, limit);
    else if (kind == 3 || !(kind == 1 ? fixedTables() : readTables())) return false;
    else out = decodeBlock(start, out, limit, window);
    if (out == 0) return false;
  }
  return out == limit && at - <usize>(have >> 3) == end && bswap<u32>(load<u32>(end)) == adler32(start, size);
}
