/**
 * The mask [n, n · ranks] whose diagonal in this rank's block of columns is 1, all else 0: it marks a rank's own samples
 * among those gathered from all ranks (lightly.utils.dist.eye_rank). With one rank, the identity. Row by row.
 */
export function eyeRank(n: number, ranks: { readonly rank: number; readonly size: number }): Uint8Array {
  const { rank, size } = ranks;
  if (rank < 0 || rank >= size) throw new RangeError(`rank ${rank} is not one of ${size}`);
  const mask = new Uint8Array(n * n * size);
  for (let i = 0; i < n; i++) mask[i * n * size + rank * n + i] = 1;
  return mask;
}
