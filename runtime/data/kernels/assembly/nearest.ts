/**
 * Source byte offsets for nearest-neighbour scaling, as i32. Positions are accumulated in double precision, as Pillow
 * does, so that rounding falls the same way.
 */
export function nearestOffsets(inSize: i32, outSize: i32, step: i32, mirrored: bool, offsets: usize): void {
  const scale: f64 = <f64>inSize / <f64>outSize;
  let at: f64 = scale * 0.5;
  for (let i = 0; i < outSize; i++, at += scale) {
    const slot = <usize>(mirrored ? outSize - 1 - i : i);
    store<i32>(offsets + (slot << 2), min(<i32>at, inSize - 1) * step);
  }
}

/** out[y][x] = src[rows[y] + columns[x]], pixel by pixel; row offsets count rows. */
export function gather(src: usize, stride: usize, channels: i32, columns: usize, rows: usize, width: i32, height: i32, out: usize): void {
  for (let y = 0; y < height; y++) {
    const row = src + <usize>load<i32>(rows + (<usize>y << 2)) * stride;
    for (let x = 0; x < width; x++) {
      const p = row + <usize>load<i32>(columns + (<usize>x << 2));
      store<u8>(out, load<u8>(p));
      if (channels == 3) {
        store<u8>(out, load<u8>(p, 1), 1);
        store<u8>(out, load<u8>(p, 2), 2);
      }
      out += channels;
    }
  }
}
