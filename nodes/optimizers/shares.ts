/**
 * Positions of the parameters that each rank updates, ascending: the largest parameter first, each to the rank that has
 * the fewest values so far (the first of equals).
 */
export function sharesOf(sizes: readonly number[], ranks: number): number[][] {
  const shares = Array.from({ length: ranks }, (): number[] => []);
  const totals = new Array<number>(ranks).fill(0);
  const largestFirst = [...sizes.keys()].sort((a, b) => sizes[b] - sizes[a] || a - b);
  for (const i of largestFirst) {
    const rank = totals.indexOf(Math.min(...totals));
    shares[rank].push(i);
    totals[rank] += sizes[i];
  }
  return shares.map((share) => share.sort((a, b) => a - b));
}
