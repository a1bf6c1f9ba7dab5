import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createRandom } from '../../runtime/random.ts';

const take = (count: number, draw: () => number) => Array.from({ length: count }, draw);

describe('random streams', () => {
  it('are pinned: the same numbers on every platform and in every version', () => {
    const random = createRandom(0, 'images', 3);
    assert.deepEqual(
      take(3, () => random.next()),
      PINNED_UNIFORM,
    );
    assert.deepEqual(
      take(3, () => random.normal()),
      PINNED_NORMAL,
    );
    assert.deepEqual([...createRandom(7, 'order').permutation(8)], PINNED_ORDER);
  });

  it('depend on the name alone', () => {
    fc.assert(
      fc.property(fc.integer(), fc.array(fc.oneof(fc.string(), fc.integer())), fc.nat(5), (seed, path, drawn) => {
        const parent = createRandom(seed);
        take(drawn, () => parent.normal());
        const fork = parent.fork(...path);
        const whole = createRandom(seed, ...path);
        assert.deepEqual(
          take(4, () => fork.next()),
          take(4, () => whole.next()),
        );
      }),
    );
  });

  it('differ when any part of the name differs', () => {
    const names: (string | number)[][] = [
      [],
      [0],
      ['0'],
      ['a', 'b'],
      ['ab'],
      ['a'],
      ['', ''],
      [''],
      [1, 2],
      [2, 1],
      [0.5],
    ];
    const first = new Set(
      [0, 1, -1, 2 ** 32, 2 ** 40].flatMap((seed) => names.map((n) => createRandom(seed, ...n).next())),
    );
    assert.equal(first.size, 5 * names.length);
  });

  it('have no visible correlation between neighbouring indices', () => {
    const n = 20_000;
    const first = Array.from({ length: n + 1 }, (_, i) => createRandom(1, 'sample', i).next() - 0.5);
    const mean = first.reduce((a, b) => a + b, 0) / n;
    let correlation = 0;
    for (let i = 0; i < n; i++) correlation += first[i] * first[i + 1];
    assert.ok(Math.abs(mean) < 4 * Math.sqrt(1 / 12 / n), `mean ${mean}`);
    assert.ok(Math.abs(correlation / n) < 4 / 12 / Math.sqrt(n), `correlation ${correlation / n}`);
  });

  it('draw normals with the moments of a normal', () => {
    const random = createRandom(2);
    const values = take(100_000, () => random.normal());
    const moment = (k: number) => values.reduce((a, v) => a + v ** k, 0) / values.length;
    assert.ok(Math.abs(moment(1)) < 0.013);
    assert.ok(Math.abs(moment(2) - 1) < 0.018);
    assert.ok(Math.abs(moment(3)) < 0.05);
    assert.ok(Math.abs(moment(4) - 3) < 0.13);
  });

  it('draw integers evenly and within bounds', () => {
    const random = createRandom(3);
    const counts = new Array(7).fill(0);
    for (let i = 0; i < 70_000; i++) counts[random.integer(7)]++;
    const chi2 = counts.reduce((a, c) => a + (c - 10_000) ** 2 / 10_000, 0);
    assert.ok(chi2 < 25, `chi² ${chi2} with 6 degrees of freedom`);
    assert.equal(random.integer(1), 0);
    assert.ok(random.integer(2 ** 32) < 2 ** 32);
    for (const bad of [0, -1, 1.5, 2 ** 33, Number.NaN]) assert.throws(() => random.integer(bad), RangeError);
  });

  it('permute: every index once, every place equally likely', () => {
    const order = createRandom(4).permutation(100_000);
    const seen = new Uint8Array(order.length);
    for (const i of order) seen[i]++;
    assert.ok(seen.every((count) => count === 1));
    const counts = new Map<string, number>();
    for (let i = 0; i < 24_000; i++) {
      const key = createRandom(5, i).permutation(4).join('');
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    assert.equal(counts.size, 24);
    const chi2 = [...counts.values()].reduce((a, c) => a + (c - 1000) ** 2 / 1000, 0);
    assert.ok(chi2 < 60, `chi² ${chi2} with 23 degrees of freedom`);
  });
});

const PINNED_UNIFORM = [0.4935025048513665, 0.5961758288410737, 0.12118853221624681];
const PINNED_NORMAL = [-1.8436461528235923, -1.025100307457352, -1.7102551858530695];
const PINNED_ORDER = [7, 0, 4, 5, 1, 6, 3, 2];
