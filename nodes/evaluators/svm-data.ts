/** What the SVM evaluators share: rows and targets of banks, params. */
import { T } from '../../runtime/node.ts';
import type { Rows } from '../../runtime/svm/linear-svm.ts';
import { normalizedRows } from '../../runtime/svm/train-svm.ts';
import type { TensorApi } from '../../runtime/tensor/types.ts';
import type { FeatureBank } from '../features/feature-bank.ts';

export const svmParams = {
  normalize: T.Boolean({ default: true, description: 'scale features to length 1: x / (‖x‖ + 1e-5)' }),
  classes: T.Array(T.Integer({ minimum: 0 }), { default: [], description: 'classes to evaluate; none: all' }),
  costs: T.Array(T.Number({ exclusiveMinimum: 0 }), { default: [0.1, 0.01], description: 'costs C to choose from' }),
  cost_base: T.Number({ default: -1, description: 'above 0: its powers are costs too' }),
  cost_powers: T.Tuple([T.Integer(), T.Integer()], {
    default: [4, 20],
    description: 'first power of cost_base, and the one after the last',
  }),
};

export interface SvmBank {
  readonly data: Rows;
  readonly rows: number;
  /** multi-label rather than class indices */
  readonly several: boolean;
  readonly classes: number;
  /** 1, 0 or -1 per row */
  targets(label: number): Int8Array;
}

/** @param port for messages, "svm.bank" @throws Error when the bank has no rows or no labels */
export function svmBank(bank: FeatureBank, normalize: boolean, port: string): SvmBank {
  const { rows, width, features, labels, labelWidth } = bank;
  if (rows === 0) throw new Error(`${port} holds no features`);
  if (!labels) throw new Error(`${port} has no labels. Connect "label" of the bank, or use a dataset with classes`);
  const values = normalize ? Float32Array.from(normalizedRows(features, width)) : features;
  return {
    data: { width, values },
    rows,
    several: labelWidth !== undefined,
    classes: labelWidth ?? 1 + labels.reduce((a, b) => Math.max(a, b), -1),
    targets: (label) =>
      Int8Array.from({ length: rows }, (_, row) => {
        if (labelWidth !== undefined) return labels[row * labelWidth + label];
        return labels[row] < 0 ? -1 : Number(labels[row] === label);
      }),
  };
}

const BLOCK = 1024;
/** bytes */
const LARGEST_GRAM = 2 ** 31;

/** With the rows' dot products where rows are wider than many: solving is faster then. */
export async function withGram(tf: TensorApi, data: Rows, signal: AbortSignal): Promise<Rows> {
  const { width } = data;
  const values = data.values as Float32Array;
  const rows = values.length / width;
  if (rows >= width || 4 * rows * rows > LARGEST_GRAM) return data;
  const gram = new Float32Array(rows * rows);
  for (let first = 0; first < rows; first += BLOCK) {
    for (let other = 0; other <= first; other += BLOCK) {
      signal.throwIfAborted();
      const [high, wide] = [Math.min(BLOCK, rows - first), Math.min(BLOCK, rows - other)];
      const block = (start: number, count: number) =>
        tf.tensor2d(values.subarray(start * width, (start + count) * width), [count, width]);
      const product = tf.tidy(() => tf.matMul(block(first, high), block(other, wide), false, true));
      const found = (await product.data()) as Float32Array;
      product.dispose();
      for (let i = 0; i < high; i++) {
        for (let j = 0; j < wide; j++) {
          gram[(first + i) * rows + other + j] = found[i * wide + j];
          gram[(other + j) * rows + first + i] = found[i * wide + j];
        }
      }
    }
  }
  return { ...data, gram };
}

/** Classes to work on. @throws Error when one is not there */
export function chosenClasses(wanted: readonly number[], count: number, port: string): readonly number[] {
  const missing = wanted.find((label) => label >= count);
  if (missing !== undefined) throw new Error(`${port} has ${count} classes: there is no class ${missing}`);
  return wanted.length > 0 ? wanted : Array.from({ length: count }, (_, label) => label);
}

export const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** A turn of the event loop, so that a stop is heard during long work. */
export const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
