import { tridiagonalize } from './tridiagonal.ts';
import { tridiagonalValues } from './tridiagonal-values.ts';
import { tridiagonalVectors } from './tridiagonal-vectors.ts';

export interface Eigen {
  /** all of them, largest first */
  readonly values: Float64Array;
  /** unit vectors, vectors[i] belongs to values[i]; the entry of largest size is positive */
  readonly vectors: readonly Float64Array[];
}

/**
 * Eigenvalues and the first `count` eigenvectors (default all) of a symmetric matrix, n × n, row by row; its lower half
 * is read. Reduction to tridiagonal form costs O(n³), each vector O(n²). Throws a RangeError when a number is not finite.
 */
export function symmetricEigen(matrix: ArrayLike<number>, n: number, count = n): Eigen {
  const a = Float64Array.from(matrix);
  if (a.length !== n * n) throw new RangeError(`${a.length} numbers are not a matrix of ${n} × ${n}`);
  let scale = 0;
  for (const x of a) {
    if (!Number.isFinite(x)) throw new RangeError('the matrix holds numbers that are not finite');
    scale = Math.max(scale, Math.abs(x));
  }
  if (scale > 0) for (let i = 0; i < a.length; i++) a[i] /= scale;
  const { diagonal, below, restore } = tridiagonalize(a, n);
  const values = tridiagonalValues(diagonal, below);
  const vectors = tridiagonalVectors(diagonal, below, values, Math.min(count, n)).map((vector) => {
    restore(vector);
    return oriented(vector);
  });
  return { values: values.map((value) => value * scale), vectors };
}

/** The sign of an eigenvector is free: choose it, so that equal data give equal vectors. */
function oriented(vector: Float64Array): Float64Array {
  let largest = 0;
  for (const x of vector) if (Math.abs(x) > Math.abs(largest)) largest = x;
  return largest < 0 ? vector.map((x) => -x) : vector;
}
