/** Draws from a discrete distribution in constant time: the alias method. Walker 1977; construction of Vose 1991. */
import type { Random } from './random.ts';

export interface AliasTable {
  /** probability that a place drawn uniformly stays itself */
  readonly stays: Float32Array;
  /** what it becomes otherwise */
  readonly becomes: Int32Array;
}

/**
 * @param weights how often each place is wanted; their sum need not be 1
 * @throws RangeError for a weight that is negative or no number, or when all are 0
 */
export function aliasTable(weights: ArrayLike<number>): AliasTable {
  const count = weights.length;
  let sum = 0;
  for (let i = 0; i < count; i++) {
    if (!(weights[i] >= 0 && weights[i] < Infinity)) throw new RangeError(`weight ${i} is ${weights[i]}`);
    sum += weights[i];
  }
  if (!(sum > 0)) throw new RangeError('all weights are 0');
  const stays = new Float32Array(count);
  const becomes = new Int32Array(count);
  const [poor, rich]: [number[], number[]] = [[], []];
  for (let i = 0; i < count; i++) {
    stays[i] = (weights[i] / sum) * count;
    (stays[i] < 1 ? poor : rich).push(i);
  }
  while (poor.length > 0 && rich.length > 0) {
    const [from, to] = [poor.pop()!, rich.pop()!];
    becomes[from] = to;
    stays[to] = stays[to] - 1 + stays[from];
    (stays[to] < 1 ? poor : rich).push(to);
  }
  // what rounding has left over is whole
  for (const i of [...poor, ...rich]) stays[i] = 1;
  return { stays, becomes };
}

/** One place. */
export function drawPlace({ stays, becomes }: AliasTable, random: Random): number {
  const place = random.integer(stays.length);
  return random.next() < stays[place] ? place : becomes[place];
}
