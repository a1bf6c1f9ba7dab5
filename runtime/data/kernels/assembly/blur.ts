import { boxLine, padLine } from './box-line';

/**
 * The box radius whose three passes approximate a Gaussian of this deviation: an integer part and a fraction, the
 * weight of the two outermost neighbours. Gwosdek et al. 2011, "Theoretical foundations of Gaussian convolution by
 * extended box filtering", in float32.
 */
export function boxRadius(deviation: f32): f32 {
  const variance: f32 = (deviation * deviation) / 3;
  const length = <f32>Math.sqrt(12.0 * <f64>variance + 1.0);
  const whole = <f32>Math.floor((<f64>length - 1.0) / 2.0);
  let part: f32 = (2 * whole + 1) * (whole * (whole + 1) - 3 * variance);
  part /= 6 * (variance - (whole + 1) * (whole + 1));
  return whole + part;
}

/** Three passes there and back: a → b → a → b; the line lies in a, the result in b. */
function threePasses(a: usize, b: usize, count: i32, step: usize, radius: i32, inner: u32, outer: u32, rounding: u32): void {
  padLine(a, count, step, radius + 1);
  boxLine(a, b, count, step, radius, inner, outer, rounding);
  padLine(b, count, step, radius + 1);
  boxLine(b, a, count, step, radius, inner, outer, rounding);
  padLine(a, count, step, radius + 1);
  boxLine(a, b, count, step, radius, inner, outer, rounding);
}

/**
 * Gaussian blur in place, `rounding` 2^23: three box passes along rows, then three along columns, 8 bits between passes. `a` and `b`
 * point at the first element of a line each, with room for max(width·channels, 16·height) + 32 bytes after it, plus
 * (radius + 1)·max(channels, 16) bytes on both sides.
 */
export function blur(p: usize, width: i32, height: i32, channels: i32, box: f32, rounding: u32, a: usize, b: usize): void {
  const radius = <i32>box;
  const inner = <u32>(<f32>(1 << 24) / (box * 2 + 1));
  const outer: u32 = ((1 << 24) - <u32>(2 * radius + 1) * inner) / 2;
  const rowBytes = <usize>width * <usize>channels;
  for (let y = 0; y < height; y++) {
    const row = p + <usize>y * rowBytes;
    memory.copy(a, row, rowBytes);
    threePasses(a, b, width, channels, radius, inner, outer, rounding);
    memory.copy(row, b, rowBytes);
  }
  for (let x: usize = 0; x < rowBytes; x += 16) {
    const strip = min(<usize>16, rowBytes - x);
    let at = p + x;
    if (strip == 16) {
      for (let y = 0; y < height; y++, at += rowBytes) v128.store(a + (<usize>y << 4), v128.load(at));
      threePasses(a, b, height, 16, radius, inner, outer, rounding);
      at = p + x;
      for (let y = 0; y < height; y++, at += rowBytes) v128.store(at, v128.load(b + (<usize>y << 4)));
    } else {
      for (let y = 0; y < height; y++, at += rowBytes) memory.copy(a + (<usize>y << 4), at, strip);
      threePasses(a, b, height, 16, radius, inner, outer, rounding);
      at = p + x;
      for (let y = 0; y < height; y++, at += rowBytes) memory.copy(at, b + (<usize>y << 4), strip);
    }
  }
}
