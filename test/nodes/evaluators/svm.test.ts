import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import linearSvm from '../../../nodes/evaluators/linear_svm.ts';
import lowShot from '../../../nodes/evaluators/low_shot_svm.ts';
import { withGram } from '../../../nodes/evaluators/svm-data.ts';
import type { FeatureBank } from '../../../nodes/features/feature-bank.ts';
import type { NodeType } from '../../../runtime/node.ts';
import { createRandom } from '../../../runtime/random.ts';
import { stepAveragePrecision, stratifiedFolds } from '../../../runtime/svm/cross-validation.ts';
import { fitLinearSvm } from '../../../runtime/svm/linear-svm.ts';
import { openBackend } from '../../../runtime/tensor/backend.ts';
import type { TensorBackend } from '../../../runtime/tensor/types.ts';
import { openSafetensors } from '../../../runtime/train/safetensors.ts';
import { nodeContext } from '../../support/node-context.ts';

const FEW = new AbortController().signal;

/** Points around a centre per class. */
function bankOf(rows: number, width: number, classes: number, spread: number, seed = 1): FeatureBank {
  const random = createRandom(seed, 'points');
  const centers = createRandom(7, 'centers');
  const center = Array.from({ length: classes }, () => Array.from({ length: width }, () => centers.normal()));
  const labels = Int32Array.from({ length: rows }, (_, row) => row % classes);
  const features = Float32Array.from({ length: rows * width }, (_, at) => {
    const own = center[labels[Math.floor(at / width)]];
    return own[at % width] + spread * random.normal();
  });
  return { rows, width, features, labels, indices: Int32Array.from(labels.keys()) };
}

/** The same with a column per class. */
function severalLabels(bank: FeatureBank, classes: number): FeatureBank {
  const labels = Int32Array.from({ length: bank.rows * classes }, (_, at) =>
    bank.labels![Math.floor(at / classes)] === at % classes ? 1 : 0,
  );
  return { ...bank, labels, labelWidth: classes };
}

describe('linear support vector machines', () => {
  let backend: TensorBackend;
  let out: string;
  before(async () => {
    backend = await openBackend('wasm');
    out = await mkdtemp(join(tmpdir(), 'pipe-svm-'));
  });
  after(() => rm(out, { recursive: true }));

  const evaluator = (definition: unknown, params: object, notices: string[] = []) =>
    (definition as Extract<NodeType, { role: 'evaluator' | 'artifact' }>).create(
      nodeContext(backend, definition as NodeType, {
        name: 'svm',
        params: params as Record<string, unknown>,
        run: { out },
        onNotice: (message) => notices.push(message),
      }),
    );

  it('reach the minimum: the gradient is zero, over weights and over rows alike', async () => {
    const { rows: count, width, features, labels } = bankOf(24, 60, 2, 1.5);
    const data = { width, values: features };
    const own = Int8Array.from(labels!, (label) => (label === 0 ? 1 : -1));
    for (const c of [0.003, 0.1, 30]) {
      const costs = Float64Array.from(own, (label) => (label > 0 ? 2 * c : c));
      const rows = Int32Array.from(own.keys());
      const weights = fitLinearSvm({ data, rows, labels: own, costs });
      const dual = fitLinearSvm({ data: await withGram(backend.tf, data, FEW), rows, labels: own, costs });
      const gradient = [...weights.coef, weights.intercept];
      for (let i = 0; i < count; i++) {
        const x = [...features.subarray(i * width, (i + 1) * width), 1];
        const f = x.reduce((sum, v, j) => sum + v * [...weights.coef, weights.intercept][j], 0);
        const slack = Math.max(0, 1 - own[i] * f);
        x.forEach((v, j) => {
          gradient[j] -= 2 * costs[i] * own[i] * slack * v;
        });
      }
      assert.ok(Math.max(...gradient.map(Math.abs)) < 1e-8 * Math.max(1, c), `gradient ${Math.max(...gradient)}`);
      weights.coef.forEach((w, j) => {
        assert.ok(Math.abs(w - dual.coef[j]) < 1e-5, `weight ${j}`);
      });
    }
  });

  it('are cross-validated over folds of equal shares, in the order of the rows', () => {
    assert.deepEqual([...stratifiedFolds([1, 1, 1, 1, -1, -1, -1, -1, -1], 3)], [0, 0, 1, 2, 0, 1, 1, 2, 2]);
    assert.throws(() => stratifiedFolds([1, -1], 3), /no class has the 3 rows/);
    // two rows of equal score are one step: 1/2 at precision 1, 1/2 at precision 2/3
    assert.equal(stepAveragePrecision([true, false, true], [2, 1, 1]), 0.5 + 0.5 * (2 / 3));
    assert.equal(stepAveragePrecision([false], [1]), 0);
  });

  it('evaluator/linear_svm separates what can be, with one label or several, and keeps the machines', async () => {
    const [bank, queries] = [bankOf(60, 16, 3, 0.1, 1), bankOf(30, 16, 3, 0.1, 2)];
    const run = evaluator(linearSvm, {});
    const { metrics } = await run({ bank, queries });
    assert.deepEqual(metrics, { mAP: 100, AP: { 0: 100, 1: 100, 2: 100 } });
    const several = await run({ bank: severalLabels(bank, 3), queries: severalLabels(queries, 3) });
    assert.deepEqual(several.metrics, metrics);
    const report = JSON.parse(await readFile(join(out, 'svm', 'svm.json'), 'utf8'));
    assert.deepEqual(report.costs, [0.1, 0.01]);
    assert.deepEqual(
      report.classes[0].crossval_ap.map((ap: number) => Math.round(ap * 1e12) / 1e12),
      [1, 1],
    );
    const file = await openSafetensors(join(out, 'svm', 'svm.safetensors'));
    assert.deepEqual(file.tensors.get('weight')!.shape, [3, 16]);
    await file.close();
  });

  it('evaluator/linear_svm leaves out queries that are not known, and classes without any', async () => {
    const [bank, queries] = [bankOf(60, 16, 3, 0.1, 1), severalLabels(bankOf(30, 16, 3, 0.1, 2), 3)];
    // the first query of class 0 would be a wrong positive of class 1; class 2 has no query
    const labels = queries.labels!.map((value, at) => (at === 1 ? -1 : at % 3 === 2 ? 0 : value));
    const notices: string[] = [];
    const run = evaluator(linearSvm, {}, notices);
    const { metrics } = await run({ bank: severalLabels(bank, 3), queries: { ...queries, labels } });
    assert.deepEqual(metrics, { mAP: 100, AP: { 0: 100, 1: 100 } });
    assert.match(notices[0], /no query is of the classes 2/);
    await assert.rejects(
      async () => evaluator(linearSvm, { classes: [9] })({ bank, queries }),
      /3 classes: there is no class 9/,
    );
    const { labels: _, ...bare } = bank;
    await assert.rejects(async () => run({ bank: bare, queries }), /svm\.bank has no labels/);
  });

  it('evaluator/low_shot_svm learns more from more images, alike every time', async () => {
    const [bank, queries] = [bankOf(90, 12, 3, 1.6, 1), bankOf(60, 12, 3, 1.6, 2)];
    const notices: string[] = [];
    const params = { k: [1, 20, 40], samples: 4, costs: [0.1, 1] };
    const { metrics } = await evaluator(lowShot, params, notices)({ bank, queries });
    assert.deepEqual(Object.keys(metrics), ['k=1', 'k=20']);
    assert.match(notices[0], /rarest class has 30 images/);
    const { 'k=1': one, 'k=20': twenty } = metrics as Record<string, { mean: number; min: number; max: number }>;
    assert.ok(one.mean < twenty.mean && one.min <= one.mean && one.mean <= one.max);
    assert.deepEqual((await evaluator(lowShot, params)({ bank, queries })).metrics, metrics);
    const several = { bank: severalLabels(bank, 3), queries: severalLabels(queries, 3) };
    const drawn = (await evaluator(lowShot, params)(several)).metrics as typeof metrics;
    assert.ok(drawn['k=20'].mean > drawn['k=1'].mean);
  });
});
