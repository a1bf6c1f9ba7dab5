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

@inline
function clamp(value: i32, size: i32): i32 {
  return value < 0 ? 0 : value < size ? value : size - 1;
}

@inline
function cubic(a: f64, b: f64, c: f64, d: f64, at: f64): f64 {
  const p2 = -a + c, p3 = 2.0 * (a - b) + c - d, p4 = -a + b - c + d;
  return b + at * (p2 + at * (p3 + at * p4));
}

/** Bilinear value of channel byte `src` at (x + dx, y + dy); columns and rows beyond the rim are those of the rim. */
@inline
function bilinearAt(src: usize, stride: usize, height: i32, left: usize, right: usize, y: i32, dx: f64, dy: f64): f64 {
  const row = src + <usize>clamp(y, height) * stride;
  const a = <f64>load<u8>(row + left), b = <f64>load<u8>(row + right);
  const upper = a + (b - a) * dx;
  let lower = upper;
  if (y + 1 >= 0 && y + 1 < height) {
    const below = src + <usize>(y + 1) * stride;
    const c = <f64>load<u8>(below + left), d = <f64>load<u8>(below + right);
    lower = c + (d - c) * dx;
  }
  return upper + (lower - upper) * dy;
}

@inline
function cubicRow(row: usize, c0: usize, c1: usize, c2: usize, c3: usize, dx: f64): f64 {
  return cubic(<f64>load<u8>(row + c0), <f64>load<u8>(row + c1), <f64>load<u8>(row + c2), <f64>load<u8>(row + c3), dx);
}

/** Bicubic (a = -1) value; a row beyond the rim repeats the one before it. */
@inline
function bicubicAt(src: usize, stride: usize, height: i32, c0: usize, c1: usize, c2: usize, c3: usize, y: i32, dx: f64, dy: f64): f64 {
  const v0 = cubicRow(src + <usize>clamp(y, height) * stride, c0, c1, c2, c3, dx);
  let v1 = v0;
  if (y + 1 >= 0 && y + 1 < height) v1 = cubicRow(src + <usize>(y + 1) * stride, c0, c1, c2, c3, dx);
  let v2 = v1;
  if (y + 2 >= 0 && y + 2 < height) v2 = cubicRow(src + <usize>(y + 2) * stride, c0, c1, c2, c3, dx);
  let v3 = v2;
  if (y + 3 >= 0 && y + 3 < height) v3 = cubicRow(src + <usize>(y + 3) * stride, c0, c1, c2, c3, dx);
  return cubic(v0, v1, v2, v3, dy);
}

/**
 * Affine map with interpolation, bilinear or bicubic, in double precision: output pixel (x, y) reads the input at
 * (ax·(x + ½) + bx·(y + ½) + cx, ay·(x + ½) + by·(y + ½) + cy), less half a pixel. Where that lies outside the input,
 * `fill`. Fractions are cut off.
 */
export function affineSmooth(src: usize, width: i32, height: i32, channels: i32, out: usize, bicubic: bool, fill: i32, ax: f64, bx: f64, cx: f64, ay: f64, by: f64, cy: f64): void {
  const stride = <usize>width * <usize>channels;
  memory.fill(out, <u8>fill, stride * <usize>height);
  for (let row = 0; row < height; row++) {
    const yin = <f64>row + 0.5;
    for (let column = 0; column < width; column++, out += channels) {
      const xin = <f64>column + 0.5;
      let sx = ax * xin + bx * yin + cx, sy = ay * xin + by * yin + cy;
      if (!(sx >= 0.0 && sx < <f64>width && sy >= 0.0 && sy < <f64>height)) continue;
      sx -= 0.5;
      sy -= 0.5;
      const left = Math.floor(sx), top = Math.floor(sy);
      const dx = sx - left, dy = sy - top;
      const x = <i32>left, y = <i32>top;
      const c1 = <usize>(clamp(x, width) * channels), c2 = <usize>(clamp(x + 1, width) * channels);
      if (!bicubic) {
        for (let c: usize = 0; c < <usize>channels; c++) {
          store<u8>(out + c, <u8>bilinearAt(src + c, stride, height, c1, c2, y, dx, dy));
        }
        continue;
      }
      const c0 = <usize>(clamp(x - 1, width) * channels), c3 = <usize>(clamp(x + 2, width) * channels);
      for (let c: usize = 0; c < <usize>channels; c++) {
        const value = bicubicAt(src + c, stride, height, c0, c1, c2, c3, y - 1, dx, dy);
        store<u8>(out + c, value <= 0.0 ? 0 : value >= 255.0 ? 255 : <u8>value);
      }
    }
  }
}
