/** steps of inverse iteration; the first or second already reaches the eigenvector */
const STEPS = 4;
/** vectors whose eigenvalues lie nearer (the matrix has size 1) are made orthogonal to each other */
const NEAR = 1e-3;
const EPS = Number.EPSILON;

/**
 * Eigenvectors to the first `count` of `values` (largest first) of a symmetric tridiagonal matrix whose largest entry is
 * about 1: inverse iteration with orthogonalisation among near eigenvalues (Golub and Van Loan, section 8.2.2; as
 * LAPACK's stein).
 */
export function tridiagonalVectors(
  diagonal: Float64Array,
  below: Float64Array,
  values: Float64Array,
  count: number,
): Float64Array[] {
  const n = diagonal.length;
  const vectors: Float64Array[] = [];
  const shifts: number[] = [];
  let seed = 1;
  const random = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 31 - 1;
  };
  for (let k = 0; k < count; k++) {
    // equal eigenvalues are told apart by a little, so that their systems differ
    const shift = k === 0 ? values[0] : Math.min(values[k], shifts[k - 1] - 10 * EPS);
    const solve = factorized(diagonal, below, shift);
    const near = vectors.filter((_, i) => Math.abs(shifts[i] - shift) < NEAR);
    const x = Float64Array.from({ length: n }, random);
    for (let step = 0; step < STEPS; step++) {
      solve(x);
      normalize(x);
      for (let pass = 0; pass < 2; pass++) for (const other of near) removePart(x, other);
      normalize(x);
    }
    shifts.push(shift);
    vectors.push(x);
  }
  return vectors;
}

/** Gaussian elimination of T - shift with row exchanges; solves in place. */
function factorized(diagonal: Float64Array, below: Float64Array, shift: number): (x: Float64Array) => void {
  const n = diagonal.length;
  const main = diagonal.map((d) => d - shift);
  const first = Float64Array.from({ length: n }, (_, i) => (i < n - 1 ? below[i] : 0));
  const second = new Float64Array(n);
  const factors = new Float64Array(n);
  const exchanged = new Uint8Array(n);
  for (let i = 0; i + 1 < n; i++) {
    const under = below[i];
    if (Math.abs(main[i]) >= Math.abs(under)) {
      if (Math.abs(main[i]) < EPS) main[i] = EPS;
      factors[i] = under / main[i];
      main[i + 1] -= factors[i] * first[i];
      continue;
    }
    exchanged[i] = 1;
    factors[i] = main[i] / under;
    const above = first[i];
    main[i] = under;
    first[i] = main[i + 1];
    second[i] = first[i + 1];
    main[i + 1] = above - factors[i] * first[i];
    first[i + 1] = -factors[i] * second[i];
  }
  if (Math.abs(main[n - 1]) < EPS) main[n - 1] = EPS;
  return (x) => {
    for (let i = 0; i + 1 < n; i++) {
      if (exchanged[i]) {
        const kept = x[i];
        x[i] = x[i + 1];
        x[i + 1] = kept;
      }
      x[i + 1] -= factors[i] * x[i];
    }
    for (let i = n - 1; i >= 0; i--) {
      let value = x[i];
      if (i + 1 < n) value -= first[i] * x[i + 1];
      if (i + 2 < n) value -= second[i] * x[i + 2];
      x[i] = value / main[i];
    }
  };
}

function normalize(x: Float64Array): void {
  const largest = x.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  let squares = 0;
  for (let i = 0; i < x.length; i++) {
    x[i] /= largest;
    squares += x[i] * x[i];
  }
  const length = Math.sqrt(squares);
  for (let i = 0; i < x.length; i++) x[i] = Math.abs(x[i]) < TINY ? 0 : x[i] / length;
}

/** arithmetic with numbers near the smallest double is slow, and they add nothing */
const TINY = 1e-150;

function removePart(x: Float64Array, unit: Float64Array): void {
  let dot = 0;
  for (let i = 0; i < x.length; i++) dot += x[i] * unit[i];
  for (let i = 0; i < x.length; i++) x[i] -= dot * unit[i];
}
