/** Weights of Pillow's antialiased resize: the filter's support grows with the reduction; 22-bit fixed point. */

export const BITS = 22;
/** A weight is high · 2^LOW_BITS + low, two 16-bit halves, so that pairs can be multiplied and added at once. */
export const LOW_BITS = 8;

@inline
function bilinear(x: f64): f64 {
  const d = Math.abs(x);
  return d < 1.0 ? 1.0 - d : 0.0;
}

/** Keys' cubic, a = -0.5. */
@inline
function bicubic(x: f64): f64 {
  const d = Math.abs(x);
  if (d < 1.0) return (1.5 * d - 2.5) * d * d + 1.0;
  if (d < 2.0) return (((d - 5.0) * d + 8.0) * d - 4.0) * -0.5;
  return 0.0;
}

/**
 * For each of `outSize` outputs: the first input and the number of pairs of inputs (two i32 at `bounds`), and at
 * `weights` as many pairs, 8 bytes each: two high halves, two low halves (i16). An odd number of inputs ends in a weight
 * of 0, on an input that may lie one beyond the last. Mirrored: output i takes what output outSize-1-i would. `raw`
 * holds 2 · `pairs` f64 of work; `pairs` is the number of pairs that an output has room for.
 */
export function resizeCoefficients(
  inSize: i32,
  outSize: i32,
  cubic: bool,
  mirrored: bool,
  pairs: i32,
  bounds: usize,
  weights: usize,
  raw: usize,
): void {
  const scale: f64 = <f64>inSize / <f64>outSize;
  const stretch: f64 = scale < 1.0 ? 1.0 : scale;
  const support: f64 = (cubic ? 2.0 : 1.0) * stretch;
  const unit: f64 = 1.0 / stretch;
  for (let i = 0; i < outSize; i++) {
    const center: f64 = (<f64>i + 0.5) * scale;
    const first: i32 = max(<i32>(center - support + 0.5), 0);
    const count: i32 = min(<i32>(center + support + 0.5), inSize) - first;
    let total: f64 = 0.0;
    for (let k = 0; k < count; k++) {
      const at = (<f64>(k + first) - center + 0.5) * unit;
      const weight = cubic ? bicubic(at) : bilinear(at);
      store<f64>(raw + (<usize>k << 3), weight);
      total += weight;
    }
    const slot = <usize>(mirrored ? outSize - 1 - i : i);
    const out = weights + ((slot * <usize>pairs) << 3);
    for (let k = 0; k < ((count + 1) & ~1); k++) {
      let weight = k < count ? load<f64>(raw + (<usize>k << 3)) : 0.0;
      if (total != 0.0) weight /= total;
      const scaled = weight * <f64>(1 << BITS);
      const fixed = <i32>(weight < 0.0 ? scaled - 0.5 : scaled + 0.5);
      const half = out + (<usize>(k >> 1) << 3) + (<usize>(k & 1) << 1);
      store<i16>(half, <i16>(fixed >> LOW_BITS));
      store<i16>(half, <i16>(fixed & ((1 << LOW_BITS) - 1)), 4);
    }
    store<i32>(bounds + (slot << 3), first);
    store<i32>(bounds + (slot << 3), (count + 1) >> 1, 4);
  }
}
