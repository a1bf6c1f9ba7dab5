/** A linear axis: data values to positions, with ticks at round numbers. */
export interface Axis {
  readonly position: (value: number) => number;
  readonly ticks: readonly { readonly at: number; readonly text: string }[];
}

/** Steps between ticks that people read easily. */
const STEPS = [1, 2, 2.5, 5, 10];

/** An axis over the finite values, from position `start` to `end`, with about `count` ticks; a twentieth is left at each side. */
export function createAxis(values: Iterable<number>, start: number, end: number, count = 6): Axis {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) [low, high] = [0, 1];
  const reach = high - low;
  const margin = reach > 0 ? reach / 20 : Math.max(Math.abs(low) / 20, 0.5);
  [low, high] = [low - margin, high + margin];
  const position = (value: number) => start + ((value - low) / (high - low)) * (end - start);
  const step = roundStep((high - low) / count);
  const places = Math.max(0, Math.min(20, 1 - Math.floor(Math.log10(step))));
  const first = Math.ceil(low / step);
  const ticks = Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => {
    const value = (first + i) * step;
    return { at: position(value), text: tickText(value, step, places) };
  });
  return { position, ticks };
}

function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * (STEPS.find((step) => step * power >= least * (1 - 1e-9)) ?? 10);
}

function tickText(value: number, step: number, places: number): string {
  if (value === 0) return '0';
  const text = step >= 1e5 || step < 1e-4 ? value.toExponential(2) : value.toFixed(places);
  return text.replace(/(\.\d*?)0+(?=e|$)/, '$1').replace(/\.(?=e|$)/, '');
}
