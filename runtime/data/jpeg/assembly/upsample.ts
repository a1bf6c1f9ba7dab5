/**
 * libjpeg's "fancy" upsampling of colour: each new value is ¾ of the nearer and ¼ of the farther one, by the row and, where
 * rows are halved too, by the column.
 */

/** Rows of 16-bit sums have this many bytes before them. */
export const MARGIN: usize = 16;

/** One row of colour as 16-bit lanes: three parts of the nearer row and one of the farther, or the row alone. */
@inline
function sumRows(near: usize, far: usize, vertical: bool, sums: usize, width: usize): void {
  for (let x: usize = 0; x < width; x += 8) {
    const a = v128.load8x8_u(near + x);
    v128.store(sums + 2 * x, vertical ? i16x8.add(i16x8.add(i16x8.shl(a, 1), a), v128.load8x8_u(far + x)) : a);
  }
  store<i16>(sums - 2, load<i16>(sums));
  store<i16>(sums + 2 * width, load<i16>(sums + 2 * width - 2));
}

@inline
function widened(sums: usize, width: usize, left: v128, right: v128, bits: i32, out: usize): void {
  for (let x: usize = 0; x < width; x += 8) {
    const p = sums + 2 * x, v = v128.load(p), v3 = i16x8.add(i16x8.shl(v, 1), v);
    const even = i16x8.shr_u(i16x8.add(i16x8.add(v3, v128.load(p - 2)), left), bits);
    const odd = i16x8.shr_u(i16x8.add(i16x8.add(v3, v128.load(p + 2)), right), bits);
    v128.store(out + 2 * x, v128.or(even, i16x8.shl(odd, 8)));
  }
}

/** A row of `width` values from `near` (and `far`) becomes one of twice as many. `sums` has MARGIN bytes before it. */
export function upsample(near: usize, far: usize, vertical: bool, sums: usize, width: usize, out: usize): void {
  sumRows(near, far, vertical, sums, width);
  if (vertical) widened(sums, width, i16x8.splat(8), i16x8.splat(7), 4, out);
  else widened(sums, width, i16x8.splat(1), i16x8.splat(2), 2, out);
}
