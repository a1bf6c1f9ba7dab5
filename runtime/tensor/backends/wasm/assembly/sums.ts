// Sums over rows [rows][channels] per channel: float32 lanes over blocks of rows, float64 over the blocks.

/** Rows added up in float32 before they go into the float64 sums. */
const BLOCK: i32 = 32;

export function clearSums(sums: usize, count: i32): void {
  memory.fill(sums, 0, <usize>count << 3);
}

// @ts-ignore: decorator
@inline
function addLanes(sums: usize, channel: i32, lanes: v128): void {
  const at = sums + (<usize>channel << 3);
  const low = f64x2.promote_low_f32x4(lanes);
  const high = f64x2.promote_low_f32x4(v128.shuffle<i64>(lanes, lanes, 1, 0));
  v128.store(at, f64x2.add(v128.load(at), low));
  v128.store(at, f64x2.add(v128.load(at, 16), high), 16);
}

/** mean[c] = Σ x / rows; `sums` is working space, 8 bytes a channel (as below). */
export function channelMeans(x: usize, rows: i32, channels: i32, mean: usize, sums: usize): void {
  const step = <usize>channels << 2;
  clearSums(sums, channels);
  for (let begin = 0; begin < rows; begin += BLOCK) {
    const end = min(begin + BLOCK, rows);
    const from = x + <usize>begin * step;
    const to = x + <usize>end * step;
    let c = 0;
    for (; c + 4 <= channels; c += 4) {
      let lanes = f32x4.splat(0);
      for (let p = from + (<usize>c << 2), q = to + (<usize>c << 2); p < q; p += step) {
        lanes = f32x4.add(lanes, v128.load(p));
      }
      addLanes(sums, c, lanes);
    }
    for (; c < channels; c++) {
      let sum: f32 = 0;
      for (let p = from + (<usize>c << 2), q = to + (<usize>c << 2); p < q; p += step) sum += load<f32>(p);
      const at = sums + (<usize>c << 3);
      store<f64>(at, load<f64>(at) + <f64>sum);
    }
  }
  divideSums(sums, channels, rows, mean);
}

/** variance[c] = Σ (x - mean)² / rows */
export function channelVariances(x: usize, rows: i32, channels: i32, mean: usize, variance: usize, sums: usize): void {
  const step = <usize>channels << 2;
  clearSums(sums, channels);
  for (let begin = 0; begin < rows; begin += BLOCK) {
    const end = min(begin + BLOCK, rows);
    const from = x + <usize>begin * step;
    const to = x + <usize>end * step;
    let c = 0;
    for (; c + 4 <= channels; c += 4) {
      const m = v128.load(mean + (<usize>c << 2));
      let lanes = f32x4.splat(0);
      for (let p = from + (<usize>c << 2), q = to + (<usize>c << 2); p < q; p += step) {
        const d = f32x4.sub(v128.load(p), m);
        lanes = f32x4.add(lanes, f32x4.mul(d, d));
      }
      addLanes(sums, c, lanes);
    }
    for (; c < channels; c++) {
      const m = load<f32>(mean + (<usize>c << 2));
      let sum: f32 = 0;
      for (let p = from + (<usize>c << 2), q = to + (<usize>c << 2); p < q; p += step) {
        const d = load<f32>(p) - m;
        sum += d * d;
      }
      const at = sums + (<usize>c << 3);
      store<f64>(at, load<f64>(at) + <f64>sum);
    }
  }
  divideSums(sums, channels, rows, variance);
}

/**
 * plain[c] = Σ g, centred[c] = Σ g · (x - mean), where g = dy, or dy where y > 0 if y is not null (0).
 * `sums` is working space, 16 bytes a channel.
 */
export function gradientSums(
  dy: usize,
  x: usize,
  y: usize,
  rows: i32,
  channels: i32,
  mean: usize,
  plain: usize,
  centred: usize,
  sums: usize,
): void {
  const step = <usize>channels << 2;
  const second = sums + (<usize>channels << 3);
  const none = f32x4.splat(0);
  clearSums(sums, channels * 2);
  for (let begin = 0; begin < rows; begin += BLOCK) {
    const end = min(begin + BLOCK, rows);
    const first = <usize>begin * step;
    const bytes = <usize>(end - begin) * step;
    let c = 0;
    for (; c + 4 <= channels; c += 4) {
      const at = first + (<usize>c << 2);
      const m = v128.load(mean + (<usize>c << 2));
      let a = none;
      let b = none;
      for (let i = at; i < at + bytes; i += step) {
        let g = v128.load(dy + i);
        if (y != 0) g = v128.and(g, f32x4.gt(v128.load(y + i), none));
        a = f32x4.add(a, g);
        b = f32x4.add(b, f32x4.mul(g, f32x4.sub(v128.load(x + i), m)));
      }
      addLanes(sums, c, a);
      addLanes(second, c, b);
    }
    for (; c < channels; c++) {
      const at = first + (<usize>c << 2);
      const m = load<f32>(mean + (<usize>c << 2));
      let a: f32 = 0;
      let b: f32 = 0;
      for (let i = at; i < at + bytes; i += step) {
        const g = y == 0 || load<f32>(y + i) > 0 ? load<f32>(dy + i) : 0;
        a += g;
        b += g * (load<f32>(x + i) - m);
      }
      const to = <usize>c << 3;
      store<f64>(sums + to, load<f64>(sums + to) + <f64>a);
      store<f64>(second + to, load<f64>(second + to) + <f64>b);
    }
  }
  divideSums(sums, channels, 1, plain);
  divideSums(second, channels, 1, centred);
}

function divideSums(sums: usize, count: i32, by: i32, to: usize): void {
  for (let i: usize = 0; i < <usize>count; i++) store<f32>(to + (i << 2), <f32>(load<f64>(sums + (i << 3)) / <f64>by));
}

/** Σ x² over a tensor. */
export function sumOfSquares(x: usize, count: i32): f64 {
  let total: f64 = 0;
  let i = 0;
  while (i + 4 <= count) {
    const end = min(i + 256, count & ~3);
    let lanes = f32x4.splat(0);
    for (; i < end; i += 4) {
      const v = v128.load(x + (<usize>i << 2));
      lanes = f32x4.add(lanes, f32x4.mul(v, v));
    }
    total += <f64>f32x4.extract_lane(lanes, 0) + <f64>f32x4.extract_lane(lanes, 1);
    total += <f64>f32x4.extract_lane(lanes, 2) + <f64>f32x4.extract_lane(lanes, 3);
  }
  for (; i < count; i++) {
    const v = <f64>load<f32>(x + (<usize>i << 2));
    total += v * v;
  }
  return total;
}
