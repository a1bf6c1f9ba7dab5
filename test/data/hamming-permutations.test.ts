import assert from 'node:assert/strict';
import { hammingPermutations, type PermutationMethod } from '../../runtime/data/hamming-permutations.ts';
import { permutationTable } from '../../runtime/data/permutation-table.ts';

const distance = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, k, place) => sum + (k === b[place] ? 0 : 1), 0);

function rowsOf(values: Uint8Array, length: number): Uint8Array[] {
  return Array.from({ length: values.length / length }, (_, row) => values.subarray(row * length, (row + 1) * length));
}

const make = (length: number, count: number, method: PermutationMethod = 'max_avg', seed = 0) =>
  hammingPermutations({ length, count, method, seed });

describe('permutations that lie far apart', function () {
  this.timeout(120_000);

  it('the table holds all permutations in lexicographic order, and sums over their places', () => {
    for (const length of [2, 3, 4, 5]) {
      const table = permutationTable(length);
      const rows = Array.from({ length: table.heads * table.tails }, (_, i) => [...table.row(i)].join(''));
      assert.equal(rows.length, [1, 2, 6, 24, 120][length - 1]);
      assert.equal(new Set(rows).size, rows.length);
      assert.deepEqual([...rows].sort(), rows);
      const weights = Int32Array.from({ length: length * length }, (_, i) => (i * 37) % 11);
      const { ofHeads, ofTails } = table.sums(weights);
      for (const i of rows.keys()) {
        const head = Math.floor(i / table.tails);
        const want = [...table.row(i)].reduce((sum, k, place) => sum + weights[place * length + k], 0);
        assert.equal(ofHeads[head] + ofTails[table.tailsOf[head] + (i % table.tails)], want);
      }
    }
  });

  for (const method of ['max_avg', 'max_min'] as const) {
    it(`${method}: each is as far as any from those before it`, () => {
      const table = permutationTable(5);
      const all = Array.from({ length: 120 }, (_, i) => table.row(i));
      const far = (candidate: ArrayLike<number>, before: readonly ArrayLike<number>[]): number => {
        const distances = before.map((other) => distance(candidate, other));
        return method === 'max_min' ? Math.min(...distances) : distances.reduce((a, b) => a + b);
      };
      const rows = rowsOf(make(5, 60, method).values, 5);
      for (let i = 1; i < rows.length; i++) {
        const before = rows.slice(0, i);
        const left = all.filter((row) => before.every((other) => distance(row, other) > 0));
        assert.equal(far(rows[i], before), Math.max(...left.map((row) => far(row, before))), `row ${i}`);
      }
    });

    it(`${method}: 300 of nine patches are permutations, all different, and their distances are as told`, () => {
      const { values, mean, least } = make(9, 300, method);
      const rows = rowsOf(values, 9);
      for (const row of rows) assert.deepEqual([...row].sort(), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
      assert.equal(new Set(rows.map((row) => row.join())).size, 300);
      let [sum, nearest] = [0, 9];
      for (let a = 0; a < rows.length; a++) {
        for (let b = 0; b < a; b++) {
          sum += distance(rows[a], rows[b]);
          nearest = Math.min(nearest, distance(rows[a], rows[b]));
        }
      }
      assert.ok(Math.abs(mean - sum / (150 * 299)) < 1e-9, `${mean}`);
      assert.equal(least, nearest);
      // chance gives a mean of 8
      assert.ok(mean > 8.02, `${mean}`);
      if (method === 'max_min') assert.ok(least >= 5, `${least}`);
    });
  }

  it('the first nine disagree everywhere', () => {
    const { mean, least } = make(9, 9, 'max_min');
    assert.deepEqual([mean, least], [9, 9]);
  });

  it('depend on the seed alone, and more of them begin with the fewer', () => {
    const { values } = make(6, 50);
    assert.deepEqual(make(6, 50).values, values);
    assert.deepEqual(make(6, 80).values.subarray(0, values.length), values);
    assert.notDeepEqual(make(6, 50, 'max_avg', 1).values, values);
    assert.notDeepEqual(make(6, 50, 'max_min').values, values);
  });

  it('may be all there are, and no more', () => {
    for (const method of ['max_avg', 'max_min'] as const) {
      const rows = rowsOf(make(4, 24, method).values, 4);
      assert.equal(new Set(rows.map((row) => row.join())).size, 24);
    }
    assert.throws(() => make(4, 25), /4 patches have 24 permutations, not 25/);
    assert.throws(() => make(16, 10), /2 to 9 can be spread/);
  });
});
