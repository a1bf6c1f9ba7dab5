/**
 * A Huffman table of Deflate in memory (RFC 1951, 3.2.2): an entry for every value of the next ten bits, then, per length
 * of code, the end of the codes of that length (as 16 bits) and their place among the symbols, then the symbols.
 *
 * An entry is (value << 16) | (code << 8) | bits: `bits` are taken, of which the first `code` are the code and the others
 * add to the value. An entry with the sign bit is a literal. Entry 0 leaves the code to `longCode`.
 */
const FAST_BITS: u32 = 10;
export const FAST_MASK: u64 = (1 << FAST_BITS) - 1;
const FAST: usize = 4 << FAST_BITS, PER_LENGTH: usize = 16 * 4;
export const TABLE: usize = FAST + 2 * PER_LENGTH + 288 * 2;

/** What a table is for. */
export const LITERALS = 0, DISTANCES = 1, LENGTHS = 2;

export const LITERAL: u32 = 1 << 31;
export const END_OF_BLOCK: u32 = 1 << 15;

// RFC 1951, 3.2.5
const LENGTH_BASE = memory.data<u16>([
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258]);
const LENGTH_EXTRA = memory.data<u8>([
  0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0]);

const COUNTS = memory.data(16 * 4, 16), NEXT = memory.data(16 * 4, 16);

function entryOf(kind: i32, symbol: u32, length: u32): u32 {
  if (kind == LENGTHS || (kind == LITERALS && symbol < 256)) return LITERAL | (symbol << 16) | length;
  if (kind == LITERALS) {
    if (symbol == 256) return END_OF_BLOCK | length;
    if (symbol > 285) return 0;
    const extra = <u32>load<u8>(LENGTH_EXTRA + symbol - 257);
    return (<u32>load<u16>(LENGTH_BASE + ((symbol - 257) << 1)) << 16) | (length << 8) | (length + extra);
  }
  if (symbol > 29) return 0;
  const extra = symbol < 4 ? 0 : (symbol >> 1) - 1;
  const base = symbol < 4 ? symbol + 1 : ((2 | (symbol & 1)) << extra) + 1;
  return (base << 16) | (length << 8) | (length + extra);
}

/**
 * Builds the table of `count` symbols, whose codes have the `lengths` (a byte each, 0 for none). Returns false unless they
 * use up all codes; of distances, there may be none, or one alone of one bit.
 */
export function buildTable(table: usize, kind: i32, lengths: usize, count: usize): bool {
  const ends = table + FAST, places = ends + PER_LENGTH, symbols = places + PER_LENGTH;
  memory.fill(table, 0, FAST);
  memory.fill(COUNTS, 0, 64);
  for (let i: usize = 0; i < count; i++) {
    const at = COUNTS + (<usize>load<u8>(lengths + i) << 2);
    store<u32>(at, load<u32>(at) + 1);
  }
  let code = 0, index = 0;
  for (let length: usize = 1; length < 16; length++) {
    const used = load<i32>(COUNTS + (length << 2));
    code <<= 1;
    store<i32>(NEXT + (length << 2), index);
    store<i32>(places + (length << 2), index - code);
    code += used;
    index += used;
    if (code > 1 << <i32>length) return false;
    store<i32>(ends + (length << 2), code << (16 - <i32>length));
  }
  const single = kind == DISTANCES && (index == 0 || (index == 1 && code == 1 << 14));
  if (code != 1 << 15 && !single) return false;
  for (let i: usize = 0; i < count; i++) {
    const length = <usize>load<u8>(lengths + i);
    if (length == 0) continue;
    const at = NEXT + (length << 2), place = load<u32>(at);
    store<u16>(symbols + (<usize>place << 1), <u16>i);
    store<u32>(at, place + 1);
  }
  // codes lie in the file with their first bit lowest; one is added to such a code from its other end
  let reversed: u32 = 0, place: usize = symbols;
  for (let length: u32 = 1; length <= FAST_BITS; length++) {
    for (let n = load<u32>(COUNTS + (<usize>length << 2)); n > 0; n--, place += 2) {
      const entry = entryOf(kind, load<u16>(place), length);
      for (let prefix = reversed; prefix < 1 << FAST_BITS; prefix += 1 << length) {
        store<u32>(table + (<usize>prefix << 2), entry);
      }
      let bit: u32 = 1 << (length - 1);
      while (reversed & bit) bit >>= 1;
      reversed = bit ? (reversed & (bit - 1)) | bit : 0;
    }
  }
  return true;
}

/** The entry of the code that `bits` begin with, however long; 0 when there is none. */
export function longCode(table: usize, kind: i32, bits: u64): u32 {
  const ends = table + FAST, places = ends + PER_LENGTH, symbols = places + PER_LENGTH;
  let next = bswap<u32>(<u32>bits) >> 16;
  next = ((next >> 4) & 0x0f0f) | ((next & 0x0f0f) << 4);
  next = ((next >> 2) & 0x3333) | ((next & 0x3333) << 2);
  next = ((next >> 1) & 0x5555) | ((next & 0x5555) << 1);
  for (let length: u32 = 1; length < 16; length++) {
    if (<i32>next >= load<i32>(ends + (<usize>length << 2))) continue;
    const index = <i32>(next >> (16 - length)) + load<i32>(places + (<usize>length << 2));
    return entryOf(kind, load<u16>(symbols + (<usize>index << 1)), length);
  }
  return 0;
}
