import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { approaches } from './approaches.ts';
import { readFigures } from './figures.ts';
import type { Result } from './runs.ts';
import { markdownTable, spread, textTable } from './table.ts';

const result = (before: number | undefined, after: number, loss: readonly [number, number]): Result => ({
  ...(before === undefined ? {} : { before }),
  after,
  loss,
  device: 'torch',
  began: 0,
  ended: 40_000,
  seconds: 40,
  cpuSeconds: 61.5,
  load: 1,
});

describe('learning table', () => {
  it('gives mean and sample deviation', () => {
    assert.deepEqual(spread([1, 2, 3]), { mean: 2, deviation: 1 });
    assert.deepEqual(spread([4]), { mean: 4, deviation: 0 });
  });

  it('prints rows of several seeds, of none, and of pipelines without a first accuracy', () => {
    const rows = [
      { name: 'moco', results: [result(20, 50, [5, 3]), result(22, 48, [5, 4])] },
      { name: 'linear', results: [result(undefined, 30, [2, 1])] },
      { name: 'dino', results: [] },
    ];
    assert.deepEqual(markdownTable(rows).trimEnd().split('\n').slice(2), [
      '| moco | 2 | 40 | 62 | 21.0 ± 1.4 | 49.0 ± 1.4 | +28.0 ± 2.8 | 5.000 → 3.500 |',
      '| linear | 1 | 40 | 62 | – | 30.0 ± 0.0 | – | 2.000 → 1.000 |',
      '| dino | 0 | – | – | – | – | – | – |',
    ]);
    const lines = textTable(rows).trimEnd().split('\n');
    assert.match(lines[1], /^moco +2 +40 +62 +21\.0 ± 1\.4 +49\.0 ± 1\.4 +\+28\.0 ± 2\.8 +5\.000 → 3\.500$/);
  });

  it('has a row for every quick pipeline; those that take a trunk name a row that trains one', () => {
    const all = approaches();
    const names = all.map(({ name }) => name);
    for (const name of ['moco', 'clusterfit', 'linear', 'linear-jigsaw']) assert.ok(names.includes(name), name);
    for (const { from } of all) if (from) assert.ok(names.includes(from.approach));
  });

  it('reads kNN, or the best layer, and the losses of the first and the last epoch', () => {
    const folder = mkdtempSync(join(tmpdir(), 'pipe-learning-'));
    const write = (...lines: object[]) =>
      writeFileSync(join(folder, 'metrics.json'), `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`);
    try {
      write({ 'knn.top1': 15 }, { train_loss: 5 }, { train_loss: 4 }, { train_loss: 3 }, { 'knn.top1': 50 });
      assert.deepEqual(readFigures(folder), { before: 15, after: 50, loss: [5, 3] });
      const layers = { 'test_accuracy.top_1.0': 20, 'test_accuracy.top_1.1': 40 };
      write({ train_loss: 5, 'train_accuracy.top_1.0': 90 }, layers);
      assert.deepEqual(readFigures(folder), { after: 40, loss: [5, 5] });
      write({ train_loss: 5 });
      assert.throws(() => readFigures(folder), /neither knn\.top1 twice nor a test accuracy/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
