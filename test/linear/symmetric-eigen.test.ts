import assert from 'node:assert/strict';
import fc from 'fast-check';
import { symmetricEigen } from '../../runtime/linear/symmetric-eigen.ts';

const filled = (n: number, at: (i: number, j: number) => number): Float64Array =>
  Float64Array.from({ length: n * n }, (_, k) => at(Math.floor(k / n), k % n));

/** A v = λ v, vᵀv = 1, vᵀw = 0, Σ λ = trace, largest first. */
function assertEigen(a: Float64Array, n: number): void {
  const { values, vectors } = symmetricEigen(a, n);
  const scale = Math.max(Number.MIN_VALUE, ...a.map(Math.abs));
  vectors.forEach((v, k) => {
    assert(k === 0 || values[k] <= values[k - 1]);
    for (let i = 0; i < n; i++) {
      const product = v.reduce((sum, x, j) => sum + a[i * n + j] * x, 0);
      assert(Math.abs(product - values[k] * v[i]) <= 1e-12 * n * scale, `vector ${k} of ${n}, row ${i}`);
    }
    vectors.slice(0, k + 1).forEach((w, l) => {
      const dot = v.reduce((sum, x, j) => sum + x * w[j], 0);
      assert(Math.abs(dot - (l === k ? 1 : 0)) < 1e-12 * n, `vectors ${k} and ${l} of ${n}`);
    });
    assert(Math.max(...v) >= -Math.min(...v), 'the largest entry is positive');
  });
  const trace = values.reduce((sum, value) => sum + value, 0);
  const want = Array.from({ length: n }, (_, i) => a[i * n + i]).reduce((sum, value) => sum + value, 0);
  assert(Math.abs(trace - want) <= 1e-12 * n * scale);
}

describe('symmetricEigen', () => {
  it('finds the eigenvalues of a matrix that is known', () => {
    // the second difference on n points: 2 - 2 cos(k π / (n + 1))
    const n = 12;
    const { values } = symmetricEigen(
      filled(n, (i, j) => (i === j ? 2 : Math.abs(i - j) === 1 ? -1 : 0)),
      n,
    );
    values.forEach((value, k) => {
      assert(Math.abs(value - (2 - 2 * Math.cos(((n - k) * Math.PI) / (n + 1)))) < 1e-14);
    });
  });

  it('holds for one row, equal eigenvalues, rank one, zeros, near pairs, tiny and huge numbers', () => {
    assertEigen(Float64Array.of(-3), 1);
    assertEigen(
      filled(20, (i, j) => (i === j ? 1 : 0)),
      20,
    );
    assertEigen(filled(20, () => 1), 20); // biome-ignore format: one matrix a line
    assertEigen(filled(20, () => 0), 20); // biome-ignore format: one matrix a line
    assertEigen(
      filled(21, (i, j) => (i === j ? Math.abs(10 - i) : Math.abs(i - j) === 1 ? 1 : 0)),
      21,
    ); // Wilkinson's W21+
    for (const size of [1e-300, 1e300])
      assertEigen(
        filled(9, (i, j) => Math.sin(i * j + i + j) * size),
        9,
      );
    assertEigen(filled(120, (i, j) => Math.cos(i * j)), 120); // biome-ignore format: one matrix a line
  });

  it('holds for random matrices of every structure', () => {
    const entry = fc.oneof(
      fc.constant(0),
      fc.integer({ min: -2, max: 2 }),
      // below, the rounding of the products checked here is larger than they are
      fc.double({ min: -9, max: 9, noNaN: true }).map((x) => (Math.abs(x) < 1e-280 ? 0 : x)),
    );
    const matrices = fc
      .integer({ min: 1, max: 14 })
      .chain((n) => fc.array(entry, { minLength: n * n, maxLength: n * n }).map((cells) => ({ n, cells })));
    fc.assert(
      fc.property(matrices, ({ n, cells }) => {
        assertEigen(
          filled(n, (i, j) => cells[Math.max(i, j) * n + Math.min(i, j)]),
          n,
        );
      }),
      { numRuns: 300 },
    );
  });

  it('refuses numbers that are not finite, and lists that are no square', () => {
    assert.throws(() => symmetricEigen([1, Number.NaN, Number.NaN, 1], 2), RangeError);
    assert.throws(() => symmetricEigen([1, 2, 3], 2), /3 numbers/);
  });
});
