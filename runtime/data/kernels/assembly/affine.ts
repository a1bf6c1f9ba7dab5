@inline
function copyPixel(src: usize, width: i32, height: i32, channels: i32, x: i32, y: i32, out: usize): void {
  if (<u32>x >= <u32>width || <u32>y >= <u32>height) return;
  const p = src + (<usize>y * <usize>width + <usize>x) * <usize>channels;
  store<u8>(out, load<u8>(p));
  if (channels == 3) {
    store<u8>(out, load<u8>(p, 1), 1);
    store<u8>(out, load<u8>(p, 2), 2);
  }
}

/** Nearest-neighbour affine map, output (x, y) reads (x0 + x·ax + y·bx, y0 + x·ay + y·by), in 16.16 fixed point. */
export function affineFixed(src: usize, width: i32, height: i32, channels: i32, out: usize, x0: i32, y0: i32, ax: i32, ay: i32, bx: i32, by: i32): void {
  memory.fill(out, 0, <usize>width * <usize>height * <usize>channels);
  for (let y = 0; y < height; y++, x0 += bx, y0 += by) {
    let xx = x0, yy = y0;
    for (let x = 0; x < width; x++, out += channels, xx += ax, yy += ay) {
      copyPixel(src, width, height, channels, xx >> 16, yy >> 16, out);
    }
  }
}

/** The same in double precision, for images that 16.16 fixed point cannot address. */
export function affineDouble(src: usize, width: i32, height: i32, channels: i32, out: usize, x0: f64, y0: f64, ax: f64, ay: f64, bx: f64, by: f64): void {
  memory.fill(out, 0, <usize>width * <usize>height * <usize>channels);
  for (let y = 0; y < height; y++, x0 += bx, y0 += by) {
    let xx = x0, yy = y0;
    for (let x = 0; x < width; x++, out += channels, xx += ax, yy += ay) {
      copyPixel(src, width, height, channels, xx < 0.0 ? -1 : <i32>xx, yy < 0.0 ? -1 : <i32>yy, out);
    }
  }
}
