// One pass over memory each. A pass over rows [rows][channels] takes one factor per channel.

/** y = a[c] · x + b[c], not below 0 where `relu` */
export function scaleRows(x: usize, rows: i32, channels: i32, a: usize, b: usize, relu: bool, y: usize): void {
  const step = <usize>channels << 2;
  const floor = f32x4.splat(relu ? 0 : -Infinity);
  for (let row = 0; row < rows; row++) {
    let i: usize = 0;
    for (; i + 16 <= step; i += 16) {
      const v = f32x4.add(f32x4.mul(v128.load(x + i), v128.load(a + i)), v128.load(b + i));
      v128.store(y + i, f32x4.max(v, floor));
    }
    for (; i < step; i += 4) {
      const v = load<f32>(x + i) * load<f32>(a + i) + load<f32>(b + i);
      store<f32>(y + i, relu ? max<f32>(v, 0) : v);
    }
    x += step;
    y += step;
  }
}

/** dx = a[c] · g + b[c] · x + d[c], where g = dy, or dy where y > 0 if y is not null (0) */
export function normGradRows(
  dy: usize,
  x: usize,
  y: usize,
  rows: i32,
  channels: i32,
  a: usize,
  b: usize,
  d: usize,
  dx: usize,
): void {
  const step = <usize>channels << 2;
  const none = f32x4.splat(0);
  for (let row = 0; row < rows; row++) {
    let i: usize = 0;
    for (; i + 16 <= step; i += 16) {
      let g = v128.load(dy + i);
      if (y != 0) g = v128.and(g, f32x4.gt(v128.load(y + i), none));
      const linear = f32x4.add(f32x4.mul(v128.load(x + i), v128.load(b + i)), v128.load(d + i));
      v128.store(dx + i, f32x4.add(f32x4.mul(g, v128.load(a + i)), linear));
    }
    for (; i < step; i += 4) {
      const g = y == 0 || load<f32>(y + i) > 0 ? load<f32>(dy + i) : 0;
      store<f32>(dx + i, load<f32>(a + i) * g + (load<f32>(b + i) * load<f32>(x + i) + load<f32>(d + i)));
    }
    dy += step;
    x += step;
    dx += step;
    if (y != 0) y += step;
  }
}

/** y = max(a + b, 0) */
export function addRelu(a: usize, b: usize, count: i32, y: usize): void {
  const none = f32x4.splat(0);
  const bytes = <usize>count << 2;
  let i: usize = 0;
  for (; i + 16 <= bytes; i += 16) v128.store(y + i, f32x4.max(f32x4.add(v128.load(a + i), v128.load(b + i)), none));
  for (; i < bytes; i += 4) store<f32>(y + i, max<f32>(load<f32>(a + i) + load<f32>(b + i), 0));
}

/** dx = dy where y > 0, else 0 */
export function reluGrad(dy: usize, y: usize, count: i32, dx: usize): void {
  const none = f32x4.splat(0);
  const bytes = <usize>count << 2;
  let i: usize = 0;
  for (; i + 16 <= bytes; i += 16) v128.store(dx + i, v128.and(v128.load(dy + i), f32x4.gt(v128.load(y + i), none)));
  for (; i < bytes; i += 4) store<f32>(dx + i, load<f32>(y + i) > 0 ? load<f32>(dy + i) : 0);
}

/**
 * One step of SGD in place. g' = scale · (g + decay · p); v = momentum · v + g', or g' at the start; the direction is v,
 * or g' + momentum · v where `nesterov`; p -= lr · direction. Without momentum v (0) is left alone.
 */
export function sgdStep(
  p: usize,
  g: usize,
  v: usize,
  count: i32,
  lr: f32,
  momentum: f32,
  decay: f32,
  scale: f32,
  nesterov: bool,
  started: bool,
): void {
  const bytes = <usize>count << 2;
  const kept = started ? momentum : 0;
  const lrs = f32x4.splat(lr);
  const decays = f32x4.splat(decay);
  const scales = f32x4.splat(scale);
  const momenta = f32x4.splat(momentum);
  const keeps = f32x4.splat(kept);
  let i: usize = 0;
  for (; i + 16 <= bytes; i += 16) {
    const old = v128.load(p + i);
    const grad = f32x4.mul(f32x4.add(v128.load(g + i), f32x4.mul(old, decays)), scales);
    let direction = grad;
    if (v != 0) {
      direction = started ? f32x4.add(f32x4.mul(v128.load(v + i), keeps), grad) : grad;
      v128.store(v + i, direction);
      if (nesterov) direction = f32x4.add(grad, f32x4.mul(direction, momenta));
    }
    v128.store(p + i, f32x4.sub(old, f32x4.mul(direction, lrs)));
  }
  for (; i < bytes; i += 4) {
    const old = load<f32>(p + i);
    const grad = (load<f32>(g + i) + old * decay) * scale;
    let direction = grad;
    if (v != 0) {
      direction = started ? load<f32>(v + i) * kept + grad : grad;
      store<f32>(v + i, direction);
      if (nesterov) direction = grad + direction * momentum;
    }
    store<f32>(p + i, old - direction * lr);
  }
}

/** y = x, not below `low` and not above `high`; NaN stays */
export function clip(x: usize, count: i32, low: f32, high: f32, y: usize): void {
  const lows = f32x4.splat(low);
  const highs = f32x4.splat(high);
  const bytes = <usize>count << 2;
  let i: usize = 0;
  for (; i + 16 <= bytes; i += 16) v128.store(y + i, f32x4.min(f32x4.max(v128.load(x + i), lows), highs));
  for (; i < bytes; i += 4) store<f32>(y + i, min<f32>(max<f32>(load<f32>(x + i), low), high));
}
