/** Pixels of rows to RGB. Up to 4 bytes after `out` are writable. */

/** Without the fourth byte. */
export function fromRgba(rows: usize, pixels: usize, out: usize): void {
  for (const stop = rows + 4 * pixels; rows < stop; rows += 4, out += 3) store<u32>(out, load<u32>(rows));
}

/** The first of every `pixel` bytes, three times. */
export function fromGray(rows: usize, pixels: usize, pixel: usize, out: usize): void {
  for (const stop = rows + pixel * pixels; rows < stop; rows += pixel, out += 3) {
    store<u32>(out, <u32>load<u8>(rows) * 0x010101);
  }
}

/**
 * The colours, of 4 bytes each, of numbers of `depth` bits (1, 2, 4, 8), the first of a byte highest; rows begin with a
 * byte. Returns false when there is a number from `count` on.
 */
export function fromColours(
  rows: usize, width: usize, height: usize, depth: usize, colours: usize, count: u32, out: usize): bool {
  const mask: u32 = (1 << <u32>depth) - 1;
  let greatest: u32 = 0;
  for (let y: usize = 0; y < height; y++, rows += (width * depth + 7) >> 3) {
    for (let x: usize = 0; x < width; x++, out += 3) {
      const place = x * depth, shift = <u32>(8 - depth - (place & 7));
      const number = (<u32>load<u8>(rows + (place >> 3)) >> shift) & mask;
      greatest = max(greatest, number);
      store<u32>(out, load<u32>(colours + (<usize>number << 2)));
    }
  }
  return greatest < count;
}
