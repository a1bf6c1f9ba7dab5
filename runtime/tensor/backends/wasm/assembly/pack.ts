// Copies into the order in which multiplyTile reads.
import { COLUMNS } from './tile';

/** Columns [k][stride] → panels [columns / 8][k][8], the last one filled up with zeros. */
export function packColumns(from: usize, stride: i32, k: i32, columns: i32, to: usize): void {
  const step = <usize>stride << 2;
  for (let j = 0; j < columns; j += 8) {
    let p = from + (<usize>j << 2);
    const width = min(columns - j, 8);
    for (let i = 0; i < k; i++) {
      copyColumns(p, to, width);
      p += step;
      to += COLUMNS;
    }
  }
}

// @ts-ignore: decorator
@inline
export function copyColumns(from: usize, to: usize, width: i32): void {
  if (width == 8) {
    v128.store(to, v128.load(from));
    v128.store(to, v128.load(from, 16), 16);
    return;
  }
  for (let i: usize = 0; i < 8; i++) {
    store<f32>(to + (i << 2), <i32>i < width ? load<f32>(from + (i << 2)) : 0);
  }
}

/**
 * A filter [places][inputs][stride] → panels of its transpose, [inputs / 8][places · outputs][8]: the columns of the
 * input's gradient.
 */
export function packFilterTransposed(from: usize, places: i32, inputs: i32, stride: i32, outputs: i32, to: usize): void {
  const step = <usize>stride << 2;
  for (let c = 0; c < inputs; c += 8) {
    const width = min(inputs - c, 8);
    for (let place = 0; place < places; place++) {
      const rows = from + (<usize>place * inputs + c) * step;
      let o = 0;
      if (width == 8) {
        for (; o + 4 <= outputs; o += 4) {
          const p = rows + (<usize>o << 2);
          transpose4(p, p + step, p + 2 * step, p + 3 * step, to, COLUMNS);
          transpose4(p + 4 * step, p + 5 * step, p + 6 * step, p + 7 * step, to + 16, COLUMNS);
          to += 4 * COLUMNS;
        }
      }
      for (; o < outputs; o++) {
        for (let i: usize = 0; i < 8; i++) {
          store<f32>(to + (i << 2), <i32>i < width ? load<f32>(rows + i * step + (<usize>o << 2)) : 0);
        }
        to += COLUMNS;
      }
    }
  }
}

/** Four rows of four → four columns, `step` bytes apart. */
// @ts-ignore: decorator
@inline
export function transpose4(p0: usize, p1: usize, p2: usize, p3: usize, to: usize, step: usize): void {
  const a = v128.load(p0);
  const b = v128.load(p1);
  const c = v128.load(p2);
  const d = v128.load(p3);
  const ab0 = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
  const ab1 = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const cd0 = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
  const cd1 = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f32>(ab0, cd0, 0, 1, 4, 5));
  v128.store(to + step, v128.shuffle<f32>(ab0, cd0, 2, 3, 6, 7));
  v128.store(to + 2 * step, v128.shuffle<f32>(ab1, cd1, 0, 1, 4, 5));
  v128.store(to + 3 * step, v128.shuffle<f32>(ab1, cd1, 2, 3, 6, 7));
}
