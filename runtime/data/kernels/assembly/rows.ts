/** Copies `rows` rows of `rowBytes` bytes. */
export function copyRows(src: usize, srcStride: usize, out: usize, outStride: usize, rowBytes: usize, rows: i32): void {
  for (let y = 0; y < rows; y++, src += srcStride, out += outStride) memory.copy(out, src, rowBytes);
}

/** Reverses the order of pixels of `pixelBytes` bytes in each row, from `src` to `out`. */
export function mirrorRows(src: usize, out: usize, width: i32, rows: i32, pixelBytes: i32): void {
  const rowBytes = <usize>(width * pixelBytes);
  for (let y = 0; y < rows; y++) {
    let from = src + rowBytes;
    for (let x = 0; x < width; x++) {
      from -= pixelBytes;
      for (let b: usize = 0; b < <usize>pixelBytes; b++) store<u8>(out + b, load<u8>(from + b));
      out += pixelBytes;
    }
    src += rowBytes;
  }
}

/** One gray byte becomes three. */
export function grayToRgb(src: usize, out: usize, pixels: usize): void {
  for (let i: usize = 0; i < pixels; i++, out += 3) {
    const value = load<u8>(src + i);
    store<u8>(out, value);
    store<u8>(out, value, 1);
    store<u8>(out, value, 2);
  }
}
