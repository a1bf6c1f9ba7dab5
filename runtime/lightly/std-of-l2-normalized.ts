/** Least length that a row is divided by. */
const EPS = 1e-12;

/**
 * Mean over the dimensions of the standard deviation (unbiased) of l2-normalised rows: 0 when representations have
 * collapsed to one, near 1/√d when they are spread evenly (Chen and He 2020, arXiv:2011.10566; lightly.utils.debug).
 * `z` is [n, d], row by row; NaN for one row. Throws a RangeError for another number of dimensions.
 */
export function stdOfL2Normalized(z: ArrayLike<number>, shape: readonly number[]): number {
  if (shape.length !== 2) throw new RangeError(`expected rows and columns, got ${shape.length} dimensions`);
  const [rows, columns] = shape;
  const lengths = Float64Array.from({ length: rows }, (_, i) => {
    let squares = 0;
    for (let j = i * columns; j < (i + 1) * columns; j++) squares += z[j] * z[j];
    return Math.max(Math.sqrt(squares), EPS);
  });
  const mean = new Float64Array(columns);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) mean[j] += z[i * columns + j] / lengths[i] / rows;
  const squares = new Float64Array(columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) squares[j] += (z[i * columns + j] / lengths[i] - mean[j]) ** 2;
  }
  return squares.reduce((sum, square) => sum + Math.sqrt(square / (rows - 1)), 0) / columns;
}
