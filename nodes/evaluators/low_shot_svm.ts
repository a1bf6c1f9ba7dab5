import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defineNode, once, T } from '../../runtime/node.ts';
import type { Random } from '../../runtime/random.ts';
import { lowShotStatistics } from '../../runtime/svm/low-shot.ts';
import { allCosts, fitClass, testPrecision } from '../../runtime/svm/train-svm.ts';
import { chosenClasses, mean, pause, type SvmBank, svmBank, svmParams } from './svm-data.ts';

/**
 * Linear SVMs on k images per class, over independent samples (Goyal et al. 2019, arXiv:1905.01235). With several labels
 * per image (VOC) each class gets k positive and (C − 1)·k negative images of its own; with class indices (Places) one
 * draw of k images per class serves all. Per k: mean, max, min and std over the samples of the mean average precision, in
 * percent, at the cost with the best mean. Numbers k that the rarest class has not are left out.
 */
export default defineNode({
  type: 'evaluator/low_shot_svm',
  description: 'Average precision of linear SVMs on few images per class (arXiv:1905.01235).',
  aliases: ['svm_low_shot', 'train_svm_low_shot'],
  role: 'evaluator',
  params: T.Object({
    ...svmParams,
    k: T.Array(T.Integer({ minimum: 1 }), {
      default: [1, 2, 4, 8, 16, 32, 64, 96],
      minItems: 1,
      description: 'images per class',
    }),
    samples: T.Integer({ default: 5, minimum: 1, description: 'independent draws' }),
  }),
  inputs: {
    bank: once.bank(['M', 'D'], { description: 'labelled features to draw from' }),
    queries: once.bank(['Q', 'D'], { description: 'labelled features to test on' }),
  },
  outputs: { metrics: once.metrics({ description: 'k=… → mean, max, min, std, in percent' }) },
  show: ['k', 'samples'],
  create: ({ params, name, signal, random, ranks, run, notice }) => {
    const costs = allCosts({ costs: params.costs, base: params.cost_base, powers: params.cost_powers });
    if (costs.length === 0) throw new Error(`${name} has no costs: give "costs" or "cost_base"`);
    return async (inputs) => {
      const bank = svmBank(inputs.bank, params.normalize, `${name}.bank`);
      const queries = svmBank(inputs.queries, params.normalize, `${name}.queries`);
      const classes = chosenClasses(params.classes, bank.classes, `${name}.bank`);
      const targets = new Map(classes.map((label) => [label, bank.targets(label)]));
      const rarest = Math.min(...[...targets.values()].map((own) => own.filter((target) => target > 0).length));
      const ks = params.k.filter((k) => k <= rarest);
      if (ks.length < params.k.length)
        notice('warning', `the rarest class has ${rarest} images: larger k are left out`);
      if (ks.length === 0) throw new Error(`${name}.bank has a class without the images that the smallest k needs`);
      const ap: number[][][] = [];
      for (const k of ks) {
        const samples: number[][] = [];
        for (let s = 0; s < params.samples; s++) {
          const draw = random.fork(`sample ${s}`, `k ${k}`);
          const shared = bank.several ? undefined : perClass(targets, k, draw);
          const found = costs.map((): number[] => []);
          for (const [label, own] of targets) {
            const rows = shared ?? positivesAndNegatives(own, k, bank, draw);
            const drawn = Int8Array.from(rows, (row) => own[row]);
            for (const [c, cost] of costs.entries()) {
              const model = fitClass(bank.data, rows, drawn, cost, signal);
              const value = testPrecision(model, queries.data, queries.targets(label));
              if (!Number.isNaN(value)) found[c].push(value);
            }
            await pause();
          }
          samples.push(found.map(mean));
        }
        ap.push(samples);
      }
      const { results, ...statistics } = lowShotStatistics(ap, ks);
      if (ranks.rank === 0) {
        const folder = join(run.out, name);
        await mkdir(folder, { recursive: true });
        const report = { k: ks, costs, samples: ap, ...statistics, results };
        await writeFile(join(folder, 'low_shot.json'), `${JSON.stringify(report, null, 2)}\n`);
      }
      return { metrics: results };
    };
  },
});

/** k random rows of each class. */
function perClass(targets: ReadonlyMap<number, Int8Array>, k: number, random: Random): Int32Array {
  return Int32Array.from([...targets.values()].flatMap((own) => some(own, (target) => target > 0, k, random)));
}

function positivesAndNegatives(own: Int8Array, k: number, { classes }: SvmBank, random: Random): Int32Array {
  const positive = some(own, (target) => target > 0, k, random);
  return Int32Array.from([...positive, ...some(own, (target) => target === 0, (classes - 1) * k, random)]);
}

/** Up to `count` random rows whose target fits, without repetition. */
function some(own: Int8Array, fits: (target: number) => boolean, count: number, random: Random): number[] {
  const rows = Array.from(own.keys()).filter((row) => fits(own[row]));
  const chosen = Math.min(count, rows.length);
  for (let i = 0; i < chosen; i++) {
    const j = i + random.integer(rows.length - i);
    [rows[i], rows[j]] = [rows[j], rows[i]];
  }
  return rows.slice(0, chosen);
}
