// The inner product of all convolutions: a tile of 4 rows by 8 columns.

/** Bytes of one step along k in a packed panel of rows, and of columns. */
export const ROWS: usize = 16;
export const COLUMNS: usize = 32;

/** A run: bytes from a row's base to its source, first k in the packed columns, length. */
export const RUN: usize = 12;

/**
 * out[4][8] = Σ over runs, Σ over k of a[k][row] · b[k][column]. `a` holds the runs one after another; in `b` each run
 * begins at its own k.
 */
export function multiplyTile(a: usize, b: usize, runs: usize, count: i32, out: usize): void {
  let c00 = f32x4.splat(0);
  let c01 = c00;
  let c10 = c00;
  let c11 = c00;
  let c20 = c00;
  let c21 = c00;
  let c30 = c00;
  let c31 = c00;
  for (let r = 0; r < count; r++) {
    const run = runs + <usize>r * RUN;
    let p = b + <usize>load<i32>(run, 4) * COLUMNS;
    const end = a + <usize>load<i32>(run, 8) * ROWS;
    while (a < end) {
      const b0 = v128.load(p);
      const b1 = v128.load(p, 16);
      let x = v128.load32_splat(a);
      c00 = f32x4.add(c00, f32x4.mul(x, b0));
      c01 = f32x4.add(c01, f32x4.mul(x, b1));
      x = v128.load32_splat(a, 4);
      c10 = f32x4.add(c10, f32x4.mul(x, b0));
      c11 = f32x4.add(c11, f32x4.mul(x, b1));
      x = v128.load32_splat(a, 8);
      c20 = f32x4.add(c20, f32x4.mul(x, b0));
      c21 = f32x4.add(c21, f32x4.mul(x, b1));
      x = v128.load32_splat(a, 12);
      c30 = f32x4.add(c30, f32x4.mul(x, b0));
      c31 = f32x4.add(c31, f32x4.mul(x, b1));
      a += ROWS;
      p += COLUMNS;
    }
  }
  v128.store(out, c00);
  v128.store(out, c01, 16);
  v128.store(out, c10, 32);
  v128.store(out, c11, 48);
  v128.store(out, c20, 64);
  v128.store(out, c21, 80);
  v128.store(out, c30, 96);
  v128.store(out, c31, 112);
}

/** Write `columns` (at most 8) of one row of a tile; add to what is there where `add`. */
export function storeRow(row: usize, to: usize, columns: i32, add: bool): void {
  if (columns >= 8) {
    let low = v128.load(row);
    let high = v128.load(row, 16);
    if (add) {
      low = f32x4.add(low, v128.load(to));
      high = f32x4.add(high, v128.load(to, 16));
    }
    v128.store(to, low);
    v128.store(to, high, 16);
    return;
  }
  for (let i = 0; i < columns; i++) {
    const at = <usize>i << 2;
    store<f32>(to + at, load<f32>(row + at) + (add ? load<f32>(to + at) : 0));
  }
}
