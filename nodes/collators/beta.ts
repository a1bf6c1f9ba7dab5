import type { Random } from '../../runtime/random.ts';

type Draws = Pick<Random, 'next' | 'normal'>;

/** Beta(a, b), from two gamma variables. */
export function sampleBeta(random: Draws, a: number, b: number): number {
  const x = sampleGamma(random, a);
  const y = sampleGamma(random, b);
  return x + y > 0 ? x / (x + y) : random.next() < a / (a + b) ? 1 : 0; // both underflow when a and b are tiny
}

/** Marsaglia and Tsang 2000, "A simple method for generating gamma variables". */
function sampleGamma(random: Draws, shape: number): number {
  if (shape < 1) return sampleGamma(random, shape + 1) * (1 - random.next()) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const z = random.normal();
    const v = (1 + c * z) ** 3;
    if (v > 0 && Math.log(1 - random.next()) < 0.5 * z * z + d - d * v + d * Math.log(v)) return d * v;
  }
}
