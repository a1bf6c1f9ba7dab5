import { load4 } from './lanes';

@inline
function standard(x: v128, mean: v128, deviation: v128): v128 {
  return f32x4.div(f32x4.sub(x, mean), deviation);
}

/**
 * (byte / divisor - mean) / deviation as float32, one rounding per step. Mean and deviation repeat with a period that
 * divides 12: `statistics` holds 12 means, then 12 deviations.
 */
export function normalizeBytes(p: usize, count: usize, out: usize, divisor: f32, statistics: usize): void {
  const m0 = v128.load(statistics), m1 = v128.load(statistics, 16), m2 = v128.load(statistics, 32);
  const d0 = v128.load(statistics, 48), d1 = v128.load(statistics, 64), d2 = v128.load(statistics, 80);
  const scale = f32x4.splat(divisor), end = p + count;
  for (; p + 12 <= end; p += 12, out += 48) {
    v128.store(out, standard(f32x4.div(f32x4.convert_i32x4_s(load4(p)), scale), m0, d0));
    v128.store(out, standard(f32x4.div(f32x4.convert_i32x4_s(load4(p + 4)), scale), m1, d1), 16);
    v128.store(out, standard(f32x4.div(f32x4.convert_i32x4_s(load4(p + 8)), scale), m2, d2), 32);
  }
  for (let s = statistics; p < end; p++, out += 4, s += 4) {
    store<f32>(out, (<f32>load<u8>(p) / divisor - load<f32>(s)) / load<f32>(s, 48));
  }
}

/** (x - mean) / deviation on float32, in place; `statistics` as above. */
export function normalizeFloats(p: usize, count: usize, statistics: usize): void {
  const m0 = v128.load(statistics), m1 = v128.load(statistics, 16), m2 = v128.load(statistics, 32);
  const d0 = v128.load(statistics, 48), d1 = v128.load(statistics, 64), d2 = v128.load(statistics, 80);
  const end = p + (count << 2);
  for (; p + 48 <= end; p += 48) {
    v128.store(p, standard(v128.load(p), m0, d0));
    v128.store(p, standard(v128.load(p, 16), m1, d1), 16);
    v128.store(p, standard(v128.load(p, 32), m2, d2), 32);
  }
  for (let s = statistics; p < end; p += 4, s += 4) store<f32>(p, (load<f32>(p) - load<f32>(s)) / load<f32>(s, 48));
}
