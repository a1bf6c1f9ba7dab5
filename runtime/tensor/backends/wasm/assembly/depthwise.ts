// Gradients of a depthwise convolution with one output per channel, maps [images][height][width][channels].

/** dx += w · dy (where dx is not null) and dw += x · dy (where dw is not null), for every filter place of every output. */
export function depthwiseGrad(
  x: usize,
  w: usize,
  dy: usize,
  dx: usize,
  dw: usize,
  images: i32,
  height: i32,
  width: i32,
  channels: i32,
  outHeight: i32,
  outWidth: i32,
  kernelHeight: i32,
  kernelWidth: i32,
  strideHeight: i32,
  strideWidth: i32,
  top: i32,
  left: i32,
  dilationHeight: i32,
  dilationWidth: i32,
): void {
  const pixel = <usize>channels << 2;
  const rowBytes = <usize>width * pixel;
  const mapBytes = <usize>height * rowBytes;
  for (let image = 0; image < images; image++) {
    for (let row = 0; row < outHeight; row++) {
      for (let column = 0; column < outWidth; column++) {
        for (let ky = 0; ky < kernelHeight; ky++) {
          const i = row * strideHeight - top + ky * dilationHeight;
          if (i < 0 || i >= height) continue;
          for (let kx = 0; kx < kernelWidth; kx++) {
            const j = column * strideWidth - left + kx * dilationWidth;
            if (j < 0 || j >= width) continue;
            const at = <usize>i * rowBytes + <usize>j * pixel;
            const tap = <usize>(ky * kernelWidth + kx) * pixel;
            if (dx != 0) multiplyAdd(dx + at, w + tap, dy, pixel);
            if (dw != 0) multiplyAdd(dw + tap, x + at, dy, pixel);
          }
        }
        dy += pixel;
      }
    }
    if (x != 0) x += mapBytes;
    if (dx != 0) dx += mapBytes;
  }
}

// @ts-ignore: decorator
@inline
function multiplyAdd(to: usize, a: usize, b: usize, bytes: usize): void {
  let c: usize = 0;
  for (; c + 16 <= bytes; c += 16) {
    v128.store(to + c, f32x4.add(v128.load(to + c), f32x4.mul(v128.load(a + c), v128.load(b + c))));
  }
  for (; c < bytes; c += 4) store<f32>(to + c, load<f32>(to + c) + load<f32>(a + c) * load<f32>(b + c));
}
