/**
 * A set of permutations that lie far apart, for Jigsaw: of all permutations, one after another the one that is farthest
 * from those before it. Noroozi and Favaro 2016, arXiv:1603.09246, algorithm 1.
 */
import { createRandom } from '../random.ts';
import { type PermutationTable, permutationTable } from './permutation-table.ts';

/** Farthest by the mean Hamming distance to those before (max_avg), or by the least one (max_min). */
export type PermutationMethod = 'max_avg' | 'max_min';

/** All permutations are looked at for each that is chosen: there are 362,880 of nine, and ten times as many of ten. */
export const MOST_PATCHES = 9;

export interface PermutationRequest {
  /** 2 to 9 */
  readonly length: number;
  readonly count: number;
  readonly method: PermutationMethod;
  readonly seed: number;
  readonly onChosen?: (chosen: number) => void;
}

export interface PermutationSet {
  /** row after row, counting from 0 */
  readonly values: Uint8Array;
  /** over all pairs; NaN for one permutation */
  readonly mean: number;
  readonly least: number;
}

/**
 * The first is drawn from the seed; of several that are equally far the one that comes first in an order drawn from it
 * (the reference code takes the first in lexicographic order). @throws RangeError when there are not so many
 */
export function hammingPermutations({
  length,
  count,
  method,
  seed,
  onChosen = () => undefined,
}: PermutationRequest): PermutationSet {
  if (length < 2 || length > MOST_PATCHES)
    throw new RangeError(`permutations of ${length} patches: 2 to ${MOST_PATCHES} can be spread`);
  const table = permutationTable(length);
  const all = table.heads * table.tails;
  if (count > all) throw new RangeError(`${length} patches have ${all} permutations, not ${count}`);
  const ranks = createRandom(seed, 'permutations', length).permutation(all);
  const farthest = (method === 'max_avg' ? byMean : byLeast)(table, ranks);
  const values = new Uint8Array(count * length);
  for (let row = 0, next = ranks.indexOf(0); row < count; row++) {
    values.set(table.row(next), row * length);
    onChosen(row + 1);
    if (row + 1 < count) next = farthest(next);
  }
  return { values, mean: meanDistance(values, length), least: leastDistance(values, length) };
}

/** Takes one that was chosen, and says which is farthest now. */
type Farthest = (chosen: number) => number;

/** A distance is the number of places less those that agree: the least sum of agreements is the largest mean. */
function byMean(table: PermutationTable, ranks: Uint32Array): Farthest {
  const { length, heads, tails, tailsOf } = table;
  const taken = new Uint8Array(ranks.length);
  const held = new Int32Array(length * length);
  return (chosen) => {
    taken[chosen] = 1;
    for (const [place, k] of table.row(chosen).entries()) held[place * length + k]++;
    const { ofHeads, ofTails } = table.sums(held);
    const leastOf = leastOfEach(ofTails, tails);
    let best = -1;
    let least = Infinity;
    for (let head = 0; head < heads; head++) {
      const [begin, before] = [tailsOf[head], ofHeads[head]];
      if (before + leastOf[begin / tails] > least) continue;
      let i = head * tails;
      for (let tail = 0; tail < tails; tail++, i++) {
        const agreements = before + ofTails[begin + tail];
        if (agreements > least || taken[i] === 1) continue;
        if (agreements < least || ranks[i] < ranks[best]) [best, least] = [i, agreements];
      }
    }
    return best;
  };
}

function leastOfEach(values: Int32Array, size: number): Int32Array {
  return Int32Array.from({ length: values.length / size }, (_, group) => {
    let least = values[group * size];
    for (let i = 1; i < size; i++) least = Math.min(least, values[group * size + i]);
    return least;
  });
}

/** The same by the most agreements with any one of them. */
function byLeast(table: PermutationTable, ranks: Uint32Array): Farthest {
  const { length, heads, tails, tailsOf } = table;
  const most = new Uint8Array(ranks.length);
  return (chosen) => {
    const held = new Int32Array(length * length);
    for (const [place, k] of table.row(chosen).entries()) held[place * length + k] = 1;
    const { ofHeads, ofTails } = table.sums(held);
    let best = -1;
    let least = Infinity;
    for (let head = 0, i = 0; head < heads; head++) {
      const [begin, before] = [tailsOf[head], ofHeads[head]];
      for (let tail = 0; tail < tails; tail++, i++) {
        const agreements = before + ofTails[begin + tail];
        if (agreements > most[i]) most[i] = agreements;
        // all places agree with itself alone
        if (most[i] > least || most[i] === length) continue;
        if (most[i] < least || ranks[i] < ranks[best]) [best, least] = [i, most[i]];
      }
    }
    return best;
  };
}

/** From how often each place has each number: pairs that agree there. */
function meanDistance(values: Uint8Array, length: number): number {
  const count = values.length / length;
  const held = new Float64Array(length * length);
  for (let i = 0; i < values.length; i++) held[(i % length) * length + values[i]]++;
  const agreeing = held.reduce((sum, n) => sum + (n * (n - 1)) / 2, 0);
  return length - agreeing / ((count * (count - 1)) / 2);
}

function leastDistance(values: Uint8Array, length: number): number {
  let least = Number.NaN;
  for (let a = 0; a < values.length; a += length) {
    for (let b = 0; b < a; b += length) {
      let distance = 0;
      for (let place = 0; place < length; place++) if (values[a + place] !== values[b + place]) distance++;
      if (!(distance >= least)) least = distance;
      if (least === 2) return least; // no two permutations are nearer
    }
  }
  return least;
}
