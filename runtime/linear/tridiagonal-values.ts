/** QL steps until an off-diagonal entry is gone; a handful is usual */
const MOST_STEPS = 100;

/**
 * Eigenvalues of a symmetric tridiagonal matrix, largest first: implicit QL with Wilkinson's shift (Golub and Van Loan,
 * section 8.3.3). `offDiagonal[i]` couples i and i + 1. O(n²).
 */
export function tridiagonalValues(mainDiagonal: Float64Array, offDiagonal: Float64Array): Float64Array {
  const diagonal = mainDiagonal.slice();
  const below = new Float64Array(diagonal.length);
  below.set(offDiagonal.subarray(0, diagonal.length - 1));
  const isSmall = (i: number) => {
    const size = Math.abs(diagonal[i]) + Math.abs(diagonal[i + 1]);
    return Math.abs(below[i]) <= Number.EPSILON * size;
  };
  for (let first = 0; first < diagonal.length; first++) {
    for (let steps = 0; ; steps++) {
      let last = first;
      while (last < diagonal.length - 1 && !isSmall(last)) last++;
      if (last === first) break;
      if (steps === MOST_STEPS) throw new RangeError('the eigenvalues were not found');
      sweep(diagonal, below, first, last);
    }
  }
  return diagonal.sort().reverse();
}

function sweep(diagonal: Float64Array, below: Float64Array, first: number, last: number): void {
  const half = (diagonal[first + 1] - diagonal[first]) / (2 * below[first]);
  const root = Math.sqrt(half * half + 1);
  let g = diagonal[last] - diagonal[first] + below[first] / (half + (half < 0 ? -root : root));
  let sine = 1;
  let cosine = 1;
  let shift = 0;
  for (let i = last - 1; i >= first; i--) {
    const f = sine * below[i];
    const b = cosine * below[i];
    const r = Math.sqrt(f * f + g * g);
    below[i + 1] = r;
    if (r === 0) {
      // the matrix has come apart here
      diagonal[i + 1] -= shift;
      below[last] = 0;
      return;
    }
    sine = f / r;
    cosine = g / r;
    g = diagonal[i + 1] - shift;
    const t = (diagonal[i] - g) * sine + 2 * cosine * b;
    shift = sine * t;
    diagonal[i + 1] = g + shift;
    g = cosine * t - b;
  }
  diagonal[first] -= shift;
  below[first] = g;
  below[last] = 0;
}
