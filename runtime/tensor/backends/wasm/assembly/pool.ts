// Gradients of pooling over maps [images][height][width][channels].

/**
 * dx += dy at the first place of each window where x equals the window's largest value y.
 * Places before `top` / `left` and past the input are padding.
 */
export function maxPoolGrad(
  x: usize,
  y: usize,
  dy: usize,
  dx: usize,
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
): void {
  const pixel = <usize>channels << 2;
  const rowBytes = <usize>width * pixel;
  for (let image = 0; image < images; image++) {
    for (let row = 0; row < outHeight; row++) {
      const y0 = row * strideHeight - top;
      const rowBegin = max(y0, 0);
      const rowEnd = min(y0 + kernelHeight, height);
      for (let column = 0; column < outWidth; column++) {
        const x0 = column * strideWidth - left;
        const begin = max(x0, 0);
        const end = min(x0 + kernelWidth, width);
        let c: usize = 0;
        for (; c + 16 <= pixel; c += 16) {
          const largest = v128.load(y + c);
          let open = v128.load(dy + c);
          for (let i = rowBegin; i < rowEnd; i++) {
            for (let j = begin; j < end; j++) {
              const at = <usize>i * rowBytes + <usize>j * pixel + c;
              const here = f32x4.eq(v128.load(x + at), largest);
              v128.store(dx + at, f32x4.add(v128.load(dx + at), v128.and(open, here)));
              open = v128.andnot(open, here);
            }
          }
        }
        for (; c < pixel; c += 4) {
          const largest = load<f32>(y + c);
          let open = load<f32>(dy + c);
          for (let i = rowBegin; i < rowEnd; i++) {
            for (let j = begin; j < end; j++) {
              const at = <usize>i * rowBytes + <usize>j * pixel + c;
              if (load<f32>(x + at) != largest) continue;
              store<f32>(dx + at, load<f32>(dx + at) + open);
              open = 0;
            }
          }
        }
        y += pixel;
        dy += pixel;
      }
    }
    x += <usize>height * rowBytes;
    dx += <usize>height * rowBytes;
  }
}

/** dx += dy over each window. */
export function sumPoolGrad(
  dy: usize,
  dx: usize,
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
): void {
  const pixel = <usize>channels << 2;
  const rowBytes = <usize>width * pixel;
  for (let image = 0; image < images; image++) {
    for (let row = 0; row < outHeight; row++) {
      const y0 = row * strideHeight - top;
      for (let column = 0; column < outWidth; column++) {
        const x0 = column * strideWidth - left;
        for (let i = max(y0, 0); i < min(y0 + kernelHeight, height); i++) {
          for (let j = max(x0, 0); j < min(x0 + kernelWidth, width); j++) {
            addTo(dx + <usize>i * rowBytes + <usize>j * pixel, dy, pixel);
          }
        }
        dy += pixel;
      }
    }
    dx += <usize>height * rowBytes;
  }
}

// @ts-ignore: decorator
@inline
function addTo(to: usize, from: usize, bytes: usize): void {
  let c: usize = 0;
  for (; c + 16 <= bytes; c += 16) v128.store(to + c, f32x4.add(v128.load(to + c), v128.load(from + c)));
  for (; c < bytes; c += 4) store<f32>(to + c, load<f32>(to + c) + load<f32>(from + c));
}
