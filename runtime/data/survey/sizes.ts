import type { ImageFacts } from './headers.ts';

export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

export interface SizeReport {
  readonly width: Spread;
  readonly height: Spread;
  readonly megapixels: Spread;
  /** bytes of a file */
  readonly bytes: Spread;
  /** images by their shorter side: upper bound (exclusive) of each bin and its count; the last has none */
  readonly shorterSide: readonly { readonly below: number | null; readonly count: number }[];
  /** by name, most first */
  readonly formats: Readonly<Record<string, number>>;
  readonly colors: Readonly<Record<string, number>>;
}

/** sides that recipes crop to, and their doubles */
const BOUNDS = [32, 64, 128, 224, 448, 896, 1792];

/** How images differ in size and form; at least one. */
export function sizeReport(images: readonly ImageFacts[]): SizeReport {
  const shorter = images.map(({ width, height }) => Math.min(width, height));
  const bounds: (number | null)[] = [...BOUNDS, null];
  const counts = bounds.map((bound, i) => {
    const from = i === 0 ? 0 : BOUNDS[i - 1];
    return shorter.filter((side) => side >= from && side < (bound ?? Number.POSITIVE_INFINITY)).length;
  });
  return {
    width: spread(images.map(({ width }) => width)),
    height: spread(images.map(({ height }) => height)),
    megapixels: spread(images.map(({ width, height }) => (width * height) / 1e6)),
    bytes: spread(images.map(({ bytes }) => bytes)),
    shorterSide: bounds.map((below, i) => ({ below, count: counts[i] })),
    formats: tally(images.map(({ format }) => format)),
    colors: tally(images.map(({ colors }) => colors)),
  };
}

export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  return { min: sorted[0], median: sorted[Math.floor((sorted.length - 1) / 2)], max: sorted[sorted.length - 1] };
}

function tally(names: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([, a], [, b]) => b - a));
}
