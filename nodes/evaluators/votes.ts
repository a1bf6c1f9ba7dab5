import type { Neighbours } from './nearest.ts';

/**
 * Classes by the votes exp(similarity / temperature) of the neighbours, most first: [queries, classes]. Classes without
 * a vote follow in order. Votes are taken relative to the nearest neighbour's, which changes no order and cannot overflow.
 */
export function rankClasses(
  { k, similarities, rows }: Neighbours,
  labels: Int32Array,
  classes: number,
  temperature: number,
): Int32Array {
  const queries = rows.length / k;
  const ranking = new Int32Array(queries * classes);
  const votes = new Float64Array(classes);
  for (let q = 0; q < queries; q++) {
    votes.fill(0);
    const nearest = similarities[q * k];
    for (let i = q * k; i < (q + 1) * k; i++) {
      const label = labels[rows[i]];
      if (label >= 0) votes[label] += Math.exp((similarities[i] - nearest) / temperature);
    }
    const order = Array.from({ length: classes }, (_, c) => c).sort((a, b) => votes[b] - votes[a] || a - b);
    ranking.set(order, q * classes);
  }
  return ranking;
}
