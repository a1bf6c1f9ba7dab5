/** The five filters of PNG (second edition, 9.2). */

@inline
function average(a: v128, b: v128): v128 {
  // avgr rounds up
  return i8x16.sub(i8x16.avgr_u(a, b), v128.and(v128.xor(a, b), i8x16.splat(1)));
}

/** Of left, above and the one between them, the nearest to left + above - between; as 16-bit lanes. */
@inline
function nearest(left: v128, above: v128, between: v128): v128 {
  const a = i16x8.sub(above, between), b = i16x8.sub(left, between);
  const toLeft = i16x8.abs(a), toAbove = i16x8.abs(b), toBetween = i16x8.abs(i16x8.add(a, b));
  const least = i16x8.min_s(i16x8.min_s(toLeft, toAbove), toBetween);
  const other = v128.bitselect(above, between, i16x8.eq(least, toAbove));
  return v128.bitselect(left, other, i16x8.eq(least, toLeft));
}

@inline
function narrowed(v: v128): v128 {
  return i8x16.narrow_i16x8_u(v, v);
}

/** A pixel at once: three or four bytes. What is stored after a third is overwritten by the next pixel. */
@inline
function unfilterPixels(filter: i32, from: usize, above: usize, row: usize, bytes: usize, pixel: usize): void {
  const zero = i32x4.splat(0), stop = row + bytes;
  let left = zero, between = zero;
  if (filter == 1) {
    for (; row < stop; row += pixel, from += pixel) {
      left = i8x16.add(v128.load32_zero(from), left);
      v128.store32_lane(row, left, 0);
    }
  } else if (filter == 3) {
    for (; row < stop; row += pixel, from += pixel, above += pixel) {
      left = i8x16.add(v128.load32_zero(from), average(left, v128.load32_zero(above)));
      v128.store32_lane(row, left, 0);
    }
  } else {
    for (; row < stop; row += pixel, from += pixel, above += pixel) {
      const up = i16x8.extend_low_i8x16_u(v128.load32_zero(above));
      const near = narrowed(nearest(i16x8.extend_low_i8x16_u(left), up, between));
      left = i8x16.add(v128.load32_zero(from), near);
      between = up;
      v128.store32_lane(row, left, 0);
    }
  }
}

@inline
function nearestByte(left: i32, above: i32, between: i32): i32 {
  const toLeft = abs(above - between), toAbove = abs(left - between), toBetween = abs(left + above - 2 * between);
  return toLeft <= toAbove && toLeft <= toBetween ? left : toAbove <= toBetween ? above : between;
}

/** A byte at once, for pixels of one or two. */
@inline
function unfilterBytes(filter: i32, from: usize, above: usize, row: usize, bytes: usize, pixel: usize): void {
  for (let x: usize = 0; x < bytes; x++) {
    const left = x < pixel ? 0 : <i32>load<u8>(row + x - pixel), up = <i32>load<u8>(above + x);
    let near = left;
    if (filter == 3) near = (left + up) >> 1;
    else if (filter == 4) near = nearestByte(left, up, x < pixel ? 0 : <i32>load<u8>(above + x - pixel));
    store<u8>(row + x, <u8>(<i32>load<u8>(from + x) + near));
  }
}

/**
 * Undoes the filters of `height` rows, each the number of its filter and `bytes`; pixels are `pixel` bytes (1 to 4; 1
 * where they are less). `zeros` are as many as a row. Returns false when there is no such filter. Up to 16 bytes after
 * each place are readable, and after the rows writable.
 */
export function unfilter(from: usize, rows: usize, height: usize, bytes: usize, pixel: usize, zeros: usize): bool {
  let above = zeros, row = rows;
  for (let y: usize = 0; y < height; y++, above = row, row += bytes, from += bytes) {
    const filter = <i32>load<u8>(from++);
    if (filter > 4) return false;
    if (filter == 0) memory.copy(row, from, bytes);
    else if (filter == 2) {
      for (let x: usize = 0; x < bytes; x += 16) {
        v128.store(row + x, i8x16.add(v128.load(from + x), v128.load(above + x)));
      }
    } else if (pixel > 2) unfilterPixels(filter, from, above, row, bytes, pixel);
    else unfilterBytes(filter, from, above, row, bytes, pixel);
  }
  return true;
}
