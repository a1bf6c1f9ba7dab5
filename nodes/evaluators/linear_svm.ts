import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defineNode, once, T } from '../../runtime/node.ts';
import type { LinearSvm } from '../../runtime/svm/linear-svm.ts';
import { allCosts, best, crossValidate, fitClass, testPrecision } from '../../runtime/svm/train-svm.ts';
import { writeSafetensors } from '../../runtime/train/safetensors.ts';
import { chosenClasses, mean, pause, svmBank, svmParams, withGram } from './svm-data.ts';

/**
 * A linear support vector machine per class on frozen features: squared hinge loss, positives weigh 2, the cost chosen
 * by cross-validated average precision; the result is the average precision on the queries (VOC07 of VISSL; Goyal et
 * al. 2019, arXiv:1905.01235). Labels are class indices (one class against the rest) or 1, 0, -1 per class: queries with
 * -1 are left out, in the bank they count as negative. The machines go to `<run>/<node>/`.
 * Differences from the reference code: each machine is the exact optimum, not that of a loop stopped at a tolerance of
 * 1e-4 or 2000 rounds; they are not kept from an earlier run.
 */
export default defineNode({
  type: 'evaluator/linear_svm',
  description: 'Average precision of linear SVMs on frozen features (arXiv:1905.01235).',
  aliases: ['svm', 'train_svm'],
  role: 'evaluator',
  params: T.Object({
    ...svmParams,
    folds: T.Integer({ default: 3, minimum: 2, description: 'of the cross-validation' }),
  }),
  inputs: {
    bank: once.bank(['M', 'D'], { description: 'labelled features to train on' }),
    queries: once.bank(['Q', 'D'], { description: 'labelled features to test on' }),
  },
  outputs: { metrics: once.metrics({ description: 'mAP and AP per class, in percent' }) },
  show: ['costs', 'folds'],
  create: ({ params, name, tf, signal, ranks, run, notice }) => {
    const costs = allCosts({ costs: params.costs, base: params.cost_base, powers: params.cost_powers });
    if (costs.length === 0) throw new Error(`${name} has no costs: give "costs" or "cost_base"`);
    return async (inputs) => {
      const bank = svmBank(inputs.bank, params.normalize, `${name}.bank`);
      const queries = svmBank(inputs.queries, params.normalize, `${name}.queries`);
      const data = await withGram(tf, bank.data, signal);
      const all = Int32Array.from({ length: bank.rows }, (_, row) => row);
      const classes = chosenClasses(params.classes, bank.classes, `${name}.bank`);
      const found: ClassResult[] = [];
      for (const label of classes) {
        const targets = bank.targets(label);
        const crossval: number[] = [];
        for (const cost of costs) {
          crossval.push(crossValidate(data, targets, cost, params.folds, signal));
          await pause();
        }
        const cost = costs[best(crossval)];
        const model = fitClass(data, all, targets, cost, signal);
        const ap = testPrecision(model, queries.data, queries.targets(label));
        found.push({ label, cost, crossval, model, ap });
        await pause();
      }
      const tested = found.filter(({ ap }) => !Number.isNaN(ap));
      if (tested.length < found.length) {
        const without = found.filter(({ ap }) => Number.isNaN(ap)).map(({ label }) => label);
        notice('warning', `no query is of the classes ${without.join(', ')}: they do not count`);
      }
      if (ranks.rank === 0) {
        const folder = join(run.out, name);
        await mkdir(folder, { recursive: true });
        const report = found.map(({ label, cost, crossval, ap }) => ({ class: label, cost, crossval_ap: crossval, test_ap: ap })); // biome-ignore format: one line a class
        await writeFile(join(folder, 'svm.json'), `${JSON.stringify({ costs, classes: report }, null, 2)}\n`);
        await writeSafetensors(join(folder, 'svm.safetensors'), [
          {
            name: 'weight',
            dtype: 'F32',
            shape: [found.length, data.width],
            read: () => Float32Array.from(found.flatMap(({ model }) => [...model.coef])),
          },
          {
            name: 'bias',
            dtype: 'F32',
            shape: [found.length],
            read: () => Float32Array.from(found, ({ model }) => model.intercept),
          },
        ]);
      }
      const AP = Object.fromEntries(tested.map(({ label, ap }) => [label, 100 * ap]));
      return { metrics: { mAP: mean(Object.values(AP)), AP } };
    };
  },
});

interface ClassResult {
  readonly label: number;
  readonly cost: number;
  /** average precision by cost */
  readonly crossval: readonly number[];
  readonly model: LinearSvm;
  /** on the queries, NaN when none is of the class */
  readonly ap: number;
}
