/** Arithmetic of inferred dimensions: products of factors of which some may be known only when the run begins. */
import type { Dim, Shape } from './port.ts';

/** The product of the factors; undefined when one is not known yet. */
export function size(dim: Dim): number | undefined {
  let product = 1;
  for (const factor of dim) {
    if (typeof factor === 'string') return undefined;
    product *= factor;
  }
  return product;
}

/** All sizes, or undefined when one is not known yet. */
export function sizes(shape: Shape): number[] | undefined {
  const known = shape.map(size);
  return known.every((n) => n !== undefined) ? (known as number[]) : undefined;
}

/** Equal as far as is known: an unknown size may turn out to be any. */
export function mayEqual(a: Dim, b: Dim): boolean {
  const [x, y] = [size(a), size(b)];
  return x === undefined || y === undefined || x === y;
}

/**
 * One dimension after another: [2, 64] and [6, 64] make [8, 64]. First factors are added when the remaining ones agree,
 * else the products; a size that is not known yet stays a text.
 */
export function concatenated(a: Dim, b: Dim): Dim {
  const [first, second] = [a[0], b[0]];
  if (typeof first === 'number' && typeof second === 'number' && sameFactors(a.slice(1), b.slice(1))) {
    return [first + second, ...a.slice(1)];
  }
  const [x, y] = [size(a), size(b)];
  return [x === undefined || y === undefined ? `${formatDim(a)}+${formatDim(b)}` : x + y];
}

function sameFactors(a: Dim, b: Dim): boolean {
  return a.length === b.length && a.every((factor, i) => factor === b[i]);
}

/** "8·64"; factors of one are left out. */
export function formatDim(dim: Dim): string {
  const shown = dim.filter((factor) => factor !== 1);
  return shown.length > 0 ? shown.join('·') : '1';
}

/** "8·64×128"; a scalar is "scalar". */
export function formatShape(shape: Shape): string {
  return shape.length > 0 ? shape.map(formatDim).join('×') : 'scalar';
}
