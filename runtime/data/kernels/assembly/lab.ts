/** Rounded fixed-point shift. */
@inline
function descale(x: i32, bits: i32): i32 {
  return (x + (1 << (bits - 1))) >> bits;
}

@inline
function byte(x: i32): f32 {
  return <f32>max(0, min(255, x));
}

/** Row sums of sRGB→XYZ (D65 white point divided out), 12 bits, times linear values of 8+3 bits: an index of `roots`. */
@inline
function root(roots: usize, r: i32, g: i32, b: i32, cr: i32, cg: i32, cb: i32): i32 {
  return <i32>load<u16>(roots + (<usize>descale(r * cr + g * cg + b * cb, 12) << 1));
}

/**
 * RGB to 8-bit CIE L*a*b* in fixed point, then to float32 NHWC: L·100/255 - 50, a - 128, b - 128. `linear` holds 256
 * u16 (sRGB decoded, 255·8 is 1), `roots` 3072 u16 (CIE cube root, 15 bits).
 */
export function labFloats(p: usize, pixels: usize, out: usize, linear: usize, roots: usize): void {
  for (let i: usize = 0; i < pixels; i++, p += 3, out += 12) {
    const r = <i32>load<u16>(linear + (<usize>load<u8>(p) << 1));
    const g = <i32>load<u16>(linear + (<usize>load<u8>(p, 1) << 1));
    const b = <i32>load<u16>(linear + (<usize>load<u8>(p, 2) << 1));
    const x = root(roots, r, g, b, 1777, 1541, 778);
    const y = root(roots, r, g, b, 871, 2929, 296);
    const z = root(roots, r, g, b, 73, 448, 3575);
    const l = byte(descale(296 * y - 1336934, 15));
    store<f32>(out, l * <f32>(100.0 / 255.0) - 50);
    store<f32>(out, byte(descale(500 * (x - y) + (128 << 15), 15)) - 128, 4);
    store<f32>(out, byte(descale(200 * (y - z) + (128 << 15), 15)) - 128, 8);
  }
}
