/** VISSL's SVM benchmark of one class: a cost chosen by cross-validation, the machine of that cost. */
import { precisionRecall } from '../metrics/average-precision.ts';
import { stepAveragePrecision, stratifiedFolds } from './cross-validation.ts';
import { fitLinearSvm, type LinearSvm, type Rows } from './linear-svm.ts';

export interface CostRange {
  readonly costs: readonly number[];
  /** above 0: the powers base^p, p from first to last - 1, are costs too */
  readonly base: number;
  readonly powers: readonly [first: number, last: number];
}

export function allCosts({ costs, base, powers: [first, last] }: CostRange): number[] {
  if (base <= 0) return [...costs];
  return [...costs, ...Array.from({ length: Math.max(0, last - first) }, (_, i) => base ** (first + i))];
}

/** Scaled to length 1: x / (‖x‖ + 1e-5). */
export function normalizedRows(values: ArrayLike<number>, width: number): Float64Array {
  const result = Float64Array.from(values);
  for (let start = 0; start < result.length; start += width) {
    const row = result.subarray(start, start + width);
    const length = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0)) + 1e-5;
    row.forEach((x, i) => {
      row[i] = x / length;
    });
  }
  return result;
}

/** Positives weigh 2, negatives 1. */
const POSITIVE_WEIGHT = 2;

/** Labels above 0 are positive, all others (unknown ones too) negative. */
export function fitClass(
  data: Rows,
  rows: Int32Array,
  targets: ArrayLike<number>,
  cost: number,
  signal?: AbortSignal,
): LinearSvm {
  const labels = Int8Array.from(rows, (_, i) => (targets[i] > 0 ? 1 : -1));
  const costs = Float64Array.from(labels, (label) => cost * (label > 0 ? POSITIVE_WEIGHT : 1));
  return fitLinearSvm({ data, rows, labels, costs, signal });
}

/** Mean average precision over the folds. `targets`: one per row of the data. */
export function crossValidate(
  data: Rows,
  targets: ArrayLike<number>,
  cost: number,
  folds: number,
  signal?: AbortSignal,
): number {
  const labels = Array.from(targets, (target) => (target > 0 ? 1 : -1));
  const fold = stratifiedFolds(labels, folds);
  const all = Int32Array.from(labels.keys());
  let sum = 0;
  for (let k = 0; k < folds; k++) {
    const rows = all.filter((row) => fold[row] !== k);
    const model = fitClass(
      data,
      rows,
      Array.from(rows, (row) => labels[row]),
      cost,
      signal,
    );
    const held = all.filter((row) => fold[row] === k);
    const scores = Array.from(held, (row) => score(model, data, row));
    sum += stepAveragePrecision(
      Array.from(held, (row) => labels[row] > 0),
      scores,
    );
  }
  return sum / folds;
}

export const score = ({ coef, intercept }: LinearSvm, { width, values }: Rows, row: number): number => {
  let sum = intercept;
  for (let j = 0, at = row * width; j < width; j++, at++) sum += coef[j] * values[at];
  return sum;
};

/** Interpolated average precision on test rows; those with target -1 are left out. NaN without positives. */
export function testPrecision(model: LinearSvm, data: Rows, targets: ArrayLike<number>): number {
  const rows = Array.from({ length: targets.length }, (_, row) => row).filter((row) => targets[row] !== -1);
  return precisionRecall(
    rows.map((row) => targets[row]),
    rows.map((row) => score(model, data, row)),
  ).ap;
}

/** Position of the largest, the first of equal ones. */
export const best = (values: readonly number[]): number => values.indexOf(Math.max(...values));
