/** A symmetric matrix reduced to tridiagonal form by Householder reflections (Golub and Van Loan, section 8.3.1). */
export interface Tridiagonal {
  readonly diagonal: Float64Array;
  /** below[i] couples i and i + 1; one number more than needed */
  readonly below: Float64Array;
  /** Turns a vector of the tridiagonal matrix's coordinates into the original ones, in place. */
  restore(vector: Float64Array): void;
}

/** nothing beside the matrix's largest entry, and its square is still a number */
const NOTHING = 1e-140;

/** `a` is n × n, row by row; its largest entry about 1. The lower half is read, all of it is overwritten. */
export function tridiagonalize(a: Float64Array, n: number): Tridiagonal {
  const diagonal = new Float64Array(n);
  const below = new Float64Array(n);
  const factors = new Float64Array(n);
  const w = new Float64Array(n);
  for (let k = 0; k < n; k++) {
    diagonal[k] = a[k * n + k];
    if (k === n - 1) break;
    const v = a.subarray(k * n, (k + 1) * n); // the reflection's vector is kept in the upper half, right of the diagonal
    factors[k] = reflection(a, n, k, v, below);
    if (factors[k] !== 0) reflectBothSides(a, n, k, v, factors[k], w);
  }
  const restore = (x: Float64Array): void => {
    for (let k = n - 2; k >= 0; k--) {
      if (factors[k] === 0) continue;
      const from = k * n;
      let dot = 0;
      for (let i = k + 1; i < n; i++) dot += a[from + i] * x[i];
      dot *= factors[k];
      for (let i = k + 1; i < n; i++) x[i] -= dot * a[from + i];
    }
  };
  return { diagonal, below, restore };
}

/** The reflection I - factor · v vᵀ that clears column k below its first entry under the diagonal. */
function reflection(a: Float64Array, n: number, k: number, v: Float64Array, below: Float64Array): number {
  let largest = 0;
  for (let i = k + 2; i < n; i++) largest = Math.max(largest, Math.abs(a[i * n + k]));
  const head = a[(k + 1) * n + k];
  if (largest < NOTHING) {
    below[k] = Math.abs(head) < NOTHING ? 0 : head;
    return 0;
  }
  const scale = Math.max(largest, Math.abs(head)); // squares of tiny numbers would vanish
  let squares = 0;
  for (let i = k + 1; i < n; i++) {
    v[i] = a[i * n + k] / scale;
    squares += v[i] * v[i];
  }
  const length = v[k + 1] < 0 ? -Math.sqrt(squares) : Math.sqrt(squares);
  below[k] = -length * scale;
  squares += length * (length + 2 * v[k + 1]);
  v[k + 1] += length;
  return 2 / squares;
}

/** a := H a H on rows and columns after k, lower half only. */
function reflectBothSides(a: Float64Array, n: number, k: number, v: Float64Array, factor: number, w: Float64Array) {
  w.fill(0, k + 1, n);
  for (let i = k + 1; i < n; i++) {
    const from = i * n;
    const vi = v[i];
    let sum = a[from + i] * vi;
    for (let j = k + 1; j < i; j++) {
      const x = a[from + j];
      sum += x * v[j];
      w[j] += x * vi;
    }
    w[i] += sum;
  }
  let dot = 0;
  for (let i = k + 1; i < n; i++) {
    w[i] *= factor;
    dot += w[i] * v[i];
  }
  const half = (factor * dot) / 2;
  for (let i = k + 1; i < n; i++) w[i] -= half * v[i];
  for (let i = k + 1; i < n; i++) {
    const from = i * n;
    const vi = v[i];
    const wi = w[i];
    for (let j = k + 1; j <= i; j++) a[from + j] -= vi * w[j] + wi * v[j];
  }
}
