import { averagePrecision, precisionRecall } from '../../../runtime/metrics/average-precision.ts';
import { lowShotStatistics } from '../../../runtime/svm/low-shot.ts';
import {
  allCosts,
  best,
  crossValidate,
  fitClass,
  normalizedRows,
  testPrecision,
} from '../../../runtime/svm/train-svm.ts';
import type { Checker } from '../checker.ts';
import { near, nearNumber, same } from '../compare.ts';
import type { OracleCase, OracleTensor } from '../oracle-file.ts';

const numbers = ({ data }: OracleTensor): number[] => data.map(Number);

function checkPrecisionRecall({ inputs, outputs, tolerance }: OracleCase): void {
  const { targets, scores, weights } = inputs;
  const got = precisionRecall(numbers(targets), numbers(scores), weights ? numbers(weights) : undefined);
  near(got.precision, outputs.precision.data, tolerance, 'precision');
  near(got.recall, outputs.recall.data, tolerance, 'recall');
  near(got.scores, outputs.sorted_scores.data, tolerance, 'sorted scores');
  nearNumber(got.ap, outputs.ap, tolerance, 'ap');
}

function checkAp({ inputs, outputs, tolerance }: OracleCase): void {
  nearNumber(averagePrecision(numbers(inputs.recall), numbers(inputs.precision)), outputs.ap, tolerance, 'ap');
}

function checkCosts({ params, outputs, tolerance }: OracleCase): void {
  const { costs_list: costs, base, power_range: powers } = params;
  near(allCosts({ costs, base, powers }), outputs.costs, tolerance, 'costs');
}

/** The exact optimum tightly; what comes of the reference's early stop within the case's tolerance. */
function checkTrainer({ params, inputs, outputs, tolerance }: OracleCase): void {
  const width = inputs.features.shape[1];
  const values = normalizedRows(numbers(inputs.features), width);
  near(values, outputs.normalized_features.data, 1e-9, 'normalized features');
  const data = { width, values };
  const test = { width, values: normalizedRows(numbers(inputs.test_features), width) };
  const all = Int32Array.from({ length: inputs.features.shape[0] }, (_, i) => i);
  const classes = inputs.targets.shape[1];
  const column = (tensor: OracleTensor, c: number) => numbers(tensor).filter((_, i) => i % classes === c);
  for (let c = 0; c < classes; c++) {
    const targets = column(inputs.targets, c);
    const aps = params.costs.map((cost: number) => crossValidate(data, targets, cost, params.cross_val_folds));
    near(aps, outputs.crossval_ap.data.slice(c * aps.length, (c + 1) * aps.length), tolerance, `AP of class ${c}`);
    const cost = params.costs[best(aps)];
    same(cost, outputs.chosen_cost.data[c], `cost of class ${c}`);
    const model = fitClass(data, all, targets, cost);
    nearNumber(testPrecision(model, test, column(inputs.test_targets, c)), outputs.test_ap.data[c], tolerance, 'test');
    for (const [i, want] of outputs.optimum_per_class_cost[c].entries()) {
      const { coef, intercept } = fitClass(data, all, targets, params.costs[i]);
      near([...coef, intercept], [...want.coef.data, want.intercept], 1e-7, `optimum, class ${c}, cost ${i}`);
    }
  }
}

function checkLowShot({ params, inputs, outputs, tolerance }: OracleCase): void {
  const { k_values: ks, sample_inds: samples } = params;
  const ap = ks.map((k: number) => samples.map((s: number) => numbers(inputs.test_ap[`sample${s}_k${k}`])));
  const { results, ...statistics } = lowShotStatistics(ap, ks);
  for (const [name, values] of Object.entries(statistics)) {
    near((values as number[][]).flat(), outputs[name].data, Math.max(tolerance, 1e-12), name);
  }
  same(Object.keys(results), Object.keys(outputs.results), 'numbers of images');
  for (const [k, want] of Object.entries<any>(outputs.results)) {
    for (const [name, value] of Object.entries(want)) {
      nearNumber(results[k][name as 'mean'], value as number, 1e-9, `${k} ${name}`);
    }
  }
}

export default [
  { pattern: /^evaluation\/precision_recall_ap\.json$/, check: checkPrecisionRecall },
  { pattern: /^evaluation\/calculate_ap\.json$/, check: checkAp },
  { pattern: /^evaluation\/svm_costs\.json$/, check: checkCosts },
  { pattern: /^evaluation\/svm_trainer\.json$/, check: checkTrainer },
  { pattern: /^evaluation\/low_shot_aggregate\.json$/, check: checkLowShot },
] satisfies readonly Checker[];
