// Convolution as products of packed panels: no im2col in memory, no multiplication by padding.
import { copyColumns, transpose4 } from './pack';
import { DEPTH, field, HEIGHT, IMAGES, placeOffset, RUNS, SOURCE, TARGET, WIDTH } from './region';
import { COLUMNS, multiplyTile, ROWS, RUN, storeRow } from './tile';

/**
 * target[place][column] = Σ over runs of source[place + run][i] · columns[run + i][column] for every place of a region:
 * a convolution, or the input gradient of one.
 * @param panels packed columns, `depth` long in k
 * @param scratch blockRows · DEPTH floats for packed rows, then 128 bytes for a tile
 */
export function convolveRegion(
  source: usize,
  target: usize,
  region: usize,
  runs: usize,
  panels: usize,
  depth: i32,
  columns: i32,
  scratch: usize,
  blockRows: i32,
): void {
  const places = field(region, IMAGES) * field(region, HEIGHT) * field(region, WIDTH);
  const count = field(region, RUNS);
  const panelBytes = <usize>field(region, DEPTH) * ROWS;
  const tile = scratch + <usize>(blockRows >> 2) * panelBytes;
  for (let begin = 0; begin < places; begin += blockRows) {
    const end = min(begin + blockRows, places);
    let to = scratch;
    for (let place = begin; place < end; place += 4) {
      packRows(source, region, runs, count, place, end - 1, to);
      to += panelBytes;
    }
    for (let column = 0; column < columns; column += 8) {
      const panel = panels + (<usize>(column >> 3) * <usize>depth) * COLUMNS;
      const width = columns - column;
      let rows = scratch;
      for (let place = begin; place < end; place += 4) {
        multiplyTile(rows, panel, runs, count, tile);
        const used = min(4, end - place);
        for (let i = 0; i < used; i++) {
          const at = target + placeOffset(region, TARGET, place + i) + (<usize>column << 2);
          storeRow(tile + (<usize>i << 5), at, width, false);
        }
        rows += panelBytes;
      }
    }
  }
}

/** The runs of four places, interleaved; places past the last repeat it. */
function packRows(source: usize, region: usize, runs: usize, count: i32, place: i32, last: i32, to: usize): void {
  const s0 = source + placeOffset(region, SOURCE, place);
  const s1 = source + placeOffset(region, SOURCE, min(place + 1, last));
  const s2 = source + placeOffset(region, SOURCE, min(place + 2, last));
  const s3 = source + placeOffset(region, SOURCE, min(place + 3, last));
  for (let r = 0; r < count; r++) {
    const run = runs + <usize>r * RUN;
    const delta = load<i32>(run);
    const length = load<i32>(run, 8);
    let i: usize = delta;
    const end = <usize>delta + (<usize>length << 2);
    const whole = <usize>delta + (<usize>(length & ~3) << 2);
    for (; i != whole; i += 16) {
      transpose4(s0 + i, s1 + i, s2 + i, s3 + i, to, ROWS);
      to += 4 * ROWS;
    }
    for (; i != end; i += 4) {
      store<f32>(to, load<f32>(s0 + i));
      store<f32>(to, load<f32>(s1 + i), 4);
      store<f32>(to, load<f32>(s2 + i), 8);
      store<f32>(to, load<f32>(s3 + i), 12);
      to += ROWS;
    }
  }
}

/** Places packed at once for the filter's gradient. */
const BLOCK: i32 = 256;

/**
 * gradient[run + i][column] += Σ over a region's places of source[place + run][i] · target[place][column].
 * @param stride floats from one row of the gradient to the next
 * @param scratch BLOCK · (longest run + 4 + columns + 8) floats, then 12 bytes for a run, then 128 for a tile
 */
export function accumulateFilter(
  source: usize,
  target: usize,
  region: usize,
  runs: usize,
  gradient: usize,
  stride: i32,
  columns: i32,
  scratch: usize,
): void {
  const places = field(region, IMAGES) * field(region, HEIGHT) * field(region, WIDTH);
  const count = field(region, RUNS);
  const all = scratch;
  const tile = scratch + 16;
  const packedColumns = scratch + 256;
  const packedRows = packedColumns + <usize>((columns + 7) >> 3) * BLOCK * COLUMNS;
  store<i32>(all, 0, 4);
  for (let begin = 0; begin < places; begin += BLOCK) {
    const block = min(places - begin, BLOCK);
    store<i32>(all, block, 8);
    for (let i = 0; i < block; i++) {
      const from = target + placeOffset(region, TARGET, begin + i);
      let to = packedColumns + <usize>i * COLUMNS;
      for (let column = 0; column < columns; column += 8) {
        copyColumns(from + (<usize>column << 2), to, min(columns - column, 8));
        to += BLOCK * COLUMNS;
      }
    }
    for (let r = 0; r < count; r++) {
      const run = runs + <usize>r * RUN;
      const delta = load<i32>(run);
      const first = load<i32>(run, 4);
      const length = load<i32>(run, 8);
      for (let i = 0; i < block; i++) {
        packPlace(source + placeOffset(region, SOURCE, begin + i) + delta, length, packedRows + <usize>i * ROWS);
      }
      for (let column = 0; column < columns; column += 8) {
        const panel = packedColumns + <usize>(column >> 3) * BLOCK * COLUMNS;
        const width = columns - column;
        for (let row = 0; row < length; row += 4) {
          multiplyTile(packedRows + <usize>(row >> 2) * BLOCK * ROWS, panel, all, 1, tile);
          const used = min(4, length - row);
          for (let i = 0; i < used; i++) {
            const at = gradient + (<usize>(first + row + i) * stride + column << 2);
            storeRow(tile + (<usize>i << 5), at, width, true);
          }
        }
      }
    }
  }
}

/** One place's run, four values to each panel; the last panel is filled up with zeros. */
function packPlace(from: usize, length: i32, to: usize): void {
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    v128.store(to, v128.load(from + (<usize>i << 2)));
    to += BLOCK * ROWS;
  }
  if (i == length) return;
  for (let lane = 0; lane < 4; lane++) {
    store<f32>(to + (<usize>lane << 2), i + lane < length ? load<f32>(from + (<usize>(i + lane) << 2)) : 0);
  }
}
