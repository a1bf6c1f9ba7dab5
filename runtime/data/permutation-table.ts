/**
 * All permutations of n numbers in lexicographic order, as heads (the first places) and tails (the others): what is
 * summed over places is summed once for each head and each tail, not for each permutation.
 */
export interface PermutationTable {
  readonly length: number;
  /** permutations with one head lie side by side: permutation i has the head i / tails and the tail i % tails */
  readonly heads: number;
  readonly tails: number;
  /** position in the sums of tails where those that go with a head begin */
  readonly tailsOf: Uint32Array;
  /** The numbers of a permutation, by its position. */
  row(i: number): Uint8Array;
  /** Σ weights[place · length + number] over the places of each head, and of each tail. */
  sums(weights: Int32Array): { readonly ofHeads: Int32Array; readonly ofTails: Int32Array };
}

export function permutationTable(length: number): PermutationTable {
  const split = length >> 1;
  const numbers = Array.from({ length }, (_, k) => k);
  const heads = arrangements(numbers, split);
  const begins = new Map<string, number>();
  const tails: number[][] = [];
  const tailsOf = Uint32Array.from(heads, (head) => {
    const rest = numbers.filter((k) => !head.includes(k));
    const key = rest.join();
    if (!begins.has(key)) {
      begins.set(key, tails.length);
      tails.push(...arrangements(rest, rest.length));
    }
    return begins.get(key)!;
  });
  const each = tails.length / begins.size;
  const [headRows, tailRows] = [Uint8Array.from(heads.flat()), Uint8Array.from(tails.flat())];
  const ofHeads = new Int32Array(heads.length);
  const ofTails = new Int32Array(tails.length);

  const sum = (into: Int32Array, rows: Uint8Array, first: number, places: number, weights: Int32Array): void => {
    for (let i = 0, at = 0; i < into.length; i++) {
      let total = 0;
      for (let place = 0; place < places; place++) total += weights[(first + place) * length + rows[at++]];
      into[i] = total;
    }
  };
  return {
    length,
    heads: heads.length,
    tails: each,
    tailsOf,
    row(i) {
      const head = Math.floor(i / each);
      return Uint8Array.from([...heads[head], ...tails[tailsOf[head] + (i % each)]]);
    },
    sums(weights) {
      sum(ofHeads, headRows, 0, split, weights);
      sum(ofTails, tailRows, split, length - split, weights);
      return { ofHeads, ofTails };
    },
  };
}

/** The ordered choices of `places` of these numbers, in lexicographic order. */
function arrangements(numbers: readonly number[], places: number): number[][] {
  if (places === 0) return [[]];
  return numbers.flatMap((k) =>
    arrangements(
      numbers.filter((other) => other !== k),
      places - 1,
    ).map((rest) => [k, ...rest]),
  );
}
