import { defineNode, once, T } from '../../runtime/node.ts';
import type { FeatureBank } from '../features/feature-bank.ts';
import { nearest } from './nearest.ts';
import { rankClasses } from './votes.ts';

/**
 * Weighted k-nearest-neighbour classification of frozen features: a neighbour votes for its class with
 * exp(similarity / temperature). Wu et al. 2018, arXiv:1805.01978. Accuracies in percent; top5 is left out with fewer
 * than five classes (the reference code reports 0).
 * Differences from the reference code: features are l2-normalised unless told otherwise; k may exceed the bank; any
 * number of queries works.
 */
export default defineNode({
  type: 'evaluator/knn',
  description: 'Accuracy of a weighted k-nearest-neighbour vote (arXiv:1805.01978).',
  aliases: ['nearest_neighbor'],
  role: 'evaluator',
  params: T.Object({
    k: T.Integer({ default: 200, minimum: 1, description: 'neighbours that vote (TOPK in VISSL)' }),
    temperature: T.Number({ default: 0.1, exclusiveMinimum: 0, description: 'of the votes (SIGMA in VISSL)' }),
    l2_normalize: T.Boolean({ default: true, description: 'scale features to length 1 first' }),
  }),
  inputs: {
    bank: once.bank(['M', 'D'], { description: 'labelled features to look up' }),
    queries: once.bank(['Q', 'D'], { description: 'labelled features to classify' }),
  },
  outputs: { metrics: once.metrics({ description: 'top1, top5 in percent' }) },
  show: ['k', 'temperature'],
  create: ({ params, name, tf, signal, notice }) => {
    const labelled = (bank: FeatureBank, port: string): Int32Array => {
      if (bank.rows === 0) throw new Error(`${name}.${port} holds no features`);
      if (bank.labelWidth) throw new Error(`${name}.${port} has several labels per row; kNN takes one class index`);
      if (bank.labels) return bank.labels;
      throw new Error(`${name}.${port} has no labels. Connect "label" of the bank, or use a dataset with classes`);
    };
    return async (inputs) => {
      const bank = inputs.bank as FeatureBank;
      const queries = inputs.queries as FeatureBank;
      const labels = labelled(bank, 'bank');
      const wanted = labelled(queries, 'queries');
      const known = labels.find((label) => label >= 0) ?? -1;
      if (labels.every((label) => label === known || label < 0)) {
        throw new Error(
          `all ${bank.rows} features of ${name}.bank have the same label, so kNN would say nothing. Put the images into a folder per class, or leave the evaluation out`,
        );
      }
      const k = Math.min(params.k, bank.rows);
      if (k < params.k) notice('warning', `k is ${params.k}, but the bank has ${k} rows: all of them vote`);
      const matrix = ({ rows, width, features }: FeatureBank) => ({
        rows,
        width,
        values: params.l2_normalize ? normalized(features, width) : features,
      });
      const neighbours = await nearest(tf, matrix(bank), matrix(queries), k, signal);
      const classes = 1 + Math.max(maximum(labels), maximum(wanted));
      const ranking = rankClasses(neighbours, labels, classes, params.temperature);
      const percent = (top: number) => (100 * hits(ranking, classes, wanted, top)) / queries.rows;
      return { metrics: { top1: percent(1), ...(classes >= 5 ? { top5: percent(5) } : {}) } };
    };
  },
});

function normalized(features: Float32Array, width: number): Float32Array {
  const result = new Float32Array(features.length);
  for (let start = 0; start < features.length; start += width) {
    let sum = 0;
    for (let i = start; i < start + width; i++) sum += features[i] ** 2;
    const length = Math.max(Math.sqrt(sum), 1e-12);
    for (let i = start; i < start + width; i++) result[i] = features[i] / length;
  }
  return result;
}

const maximum = (values: Int32Array): number => values.reduce((a, b) => Math.max(a, b), -1);

function hits(ranking: Int32Array, classes: number, wanted: Int32Array, top: number): number {
  return wanted.reduce((sum, label, q) => {
    const first = ranking.subarray(q * classes, q * classes + top);
    return sum + (first.includes(label) ? 1 : 0);
  }, 0);
}
