import { EPSILON } from './update-interval.ts';

/** values[⌊(w + ε)·n⌋]; the last value at w = 1. Throws without values or epochs. */
export function slices(type: string, values: readonly number[], epochs: number): (where: number) => number {
  if (values.length === 0) throw new RangeError(`${type}: values is empty. Give at least one value`);
  if (!(epochs > 0)) throw new RangeError(`${type}: there are ${epochs} epochs. It needs at least one`);
  return (where) => values[Math.min(values.length - 1, Math.floor((where + EPSILON) * values.length))];
}
