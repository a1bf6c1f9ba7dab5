/**
 * A Huffman table in memory: 1,024 entries for what the next ten bits decide, then, per length of code, the end of the
 * codes of that length (as 16 bits) and their place among the symbols, then the symbols.
 *
 * An entry is (value << 16) | (skip << 8) | bits: `bits` are taken, `skip` zeros precede the coefficient `value`. Skip
 * 128 ends the block. Entry 0 leaves the code to `symbol`.
 */
export const FAST_BITS = 10;
const FAST: usize = 4096, PER_LENGTH: usize = 17 * 4;
export const END_OF_BLOCK = 128;

/** The number that `size` bits say: those without a leading 1 are negative. */
@inline
export function extend(bits: i32, size: i32): i32 {
  return bits < (1 << (size - 1)) ? bits - (1 << size) + 1 : bits;
}

@inline
function fastEntry(prefix: i32, length: i32, sign: i32, ac: bool): i32 {
  const run = ac ? sign >> 4 : 0, size = ac ? sign & 15 : sign;
  if (ac && size == 0) return run == 0 ? (END_OF_BLOCK << 8) | length : 0;
  const bits = length + size;
  if (bits > FAST_BITS) return 0;
  const value = size == 0 ? 0 : extend((prefix >> (FAST_BITS - bits)) & ((1 << size) - 1), size);
  return (value << 16) | (run << 8) | bits;
}

/**
 * `spec` is 16 counts of codes by length and the symbols, as in the file. Returns false when there are more codes than
 * fit their lengths.
 */
export function buildTable(spec: usize, ac: bool, table: usize): bool {
  const ends = table + FAST, places = ends + PER_LENGTH, symbols = places + PER_LENGTH;
  memory.fill(table, 0, FAST);
  let code = 0, index = 0;
  store<i32>(ends, 0);
  for (let length = 1; length <= 16; length++) {
    const count = <i32>load<u8>(spec + length - 1);
    store<i32>(places + (<usize>length << 2), index - code);
    for (let i = 0; i < count; i++, code++, index++) {
      if (index > 255) return false;
      const sign = load<u8>(spec + 16 + index);
      store<u8>(symbols + index, sign);
      if (length > FAST_BITS || code >= 1 << length) continue;
      const first = code << (FAST_BITS - length), last = (code + 1) << (FAST_BITS - length);
      for (let prefix = first; prefix < last; prefix++) {
        store<i32>(table + (<usize>prefix << 2), fastEntry(prefix, length, sign, ac));
      }
    }
    if (code > 1 << length) return false;
    store<i32>(ends + (<usize>length << 2), code << (16 - length));
    code <<= 1;
  }
  return true;
}

/** (symbol << 8) | length of the code that the next 16 bits begin with; -1 when there is none. */
export function symbol(table: usize, next: i32): i32 {
  const ends = table + FAST, places = ends + PER_LENGTH, symbols = places + PER_LENGTH;
  for (let length = 1; length <= 16; length++) {
    if (next >= load<i32>(ends + (<usize>length << 2))) continue;
    const index = (next >> (16 - length)) + load<i32>(places + (<usize>length << 2));
    return (<i32>load<u8>(symbols + index) << 8) | length;
  }
  return -1;
}
