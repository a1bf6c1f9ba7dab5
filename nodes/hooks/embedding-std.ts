/**
 * Mean over dimensions of the standard deviation (unbiased) of rows scaled to length 1: 0 when all rows are alike, about
 * 1/√d when they point anywhere. Chen and He 2021, arXiv:2011.10566, figure 2. Throws for fewer than 2 rows.
 * @param values [rows, width]
 */
export function stdOfNormalized(values: ArrayLike<number>, rows: number, width: number): number {
  if (rows < 2) throw new RangeError(`a standard deviation needs 2 rows or more, not ${rows}`);
  const sums = new Float64Array(width);
  const squares = new Float64Array(width);
  for (let row = 0; row < rows; row++) {
    let length = 0;
    for (let i = 0; i < width; i++) length += values[row * width + i] ** 2;
    const scale = 1 / Math.max(Math.sqrt(length), 1e-12);
    for (let i = 0; i < width; i++) {
      const value = values[row * width + i] * scale;
      sums[i] += value;
      squares[i] += value * value;
    }
  }
  let total = 0;
  for (let i = 0; i < width; i++) {
    const variance = (squares[i] - (sums[i] * sums[i]) / rows) / (rows - 1);
    total += Math.sqrt(Math.max(variance, 0));
  }
  return total / width;
}
