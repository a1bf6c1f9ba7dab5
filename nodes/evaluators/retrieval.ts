import { access } from 'node:fs/promises';
import { defineNode, once, T } from '../../runtime/node.ts';
import { readGroundTruth } from '../../runtime/retrieval/ground-truth.ts';
import { distances, REVISITED, rankings, retrievalScores } from '../../runtime/retrieval/scores.ts';
import type { FeatureBank } from '../features/feature-bank.ts';

/**
 * Instance retrieval: queries rank the database; mean average precision and precision at k. A revisited ground truth
 * (easy, hard, junk) is scored as easy, medium and hard (arXiv:1803.11285), another one by ok and junk images.
 * Difference from the reference code: Oxford and Paris are scored here too, not by a program of theirs; values are in
 * percent.
 */
export default defineNode({
  type: 'evaluator/retrieval',
  description: 'Mean average precision of instance retrieval (arXiv:1803.11285).',
  aliases: ['instance_retrieval'],
  role: 'evaluator',
  params: T.Object({
    ground_truth: T.String({
      description:
        'JSON or gnd_*.pkl: per query the positions in the database that are ok and junk, or easy, hard and junk',
    }),
    similarity: T.Union([T.Literal('dot'), T.Literal('l2')], {
      default: 'dot',
      description: 'dot product (cosine of vectors of length 1), or Euclidean distance',
    }),
    kappas: T.Array(T.Integer({ minimum: 1 }), { default: [1, 5, 10], description: 'numbers of best results' }),
  }),
  inputs: {
    database: once.bank(['M', 'D'], { description: 'features to look up' }),
    queries: once.bank(['Q', 'D'], { description: 'features to look for' }),
  },
  outputs: { metrics: once.metrics({ description: 'mAP and precision at each kappa, in percent' }) },
  show: ['ground_truth'],
  check: async ({ params }) => {
    const there = await access(params.ground_truth).then(
      () => true,
      () => false,
    );
    return there ? [] : [{ at: 'ground_truth', message: `there is no file ${params.ground_truth}` }];
  },
  create: ({ params, name, tf }) => {
    const similarities = async (queries: FeatureBank, database: FeatureBank): Promise<ArrayLike<number>> => {
      if (params.similarity === 'l2') {
        return distances(queries.features, database.features, queries.width).map((distance) => -distance);
      }
      const matrix = ({ features, rows, width }: FeatureBank) => tf.tensor2d(features, [rows, width]);
      const products = tf.tidy(() => tf.matMul(matrix(queries), matrix(database), false, true));
      const values = await products.data();
      products.dispose();
      return values;
    };
    return async (inputs) => {
      const [database, queries] = [inputs.database as FeatureBank, inputs.queries as FeatureBank];
      const truth = await readGroundTruth(params.ground_truth);
      if (truth.queries.length !== queries.rows) {
        throw new Error(
          `${name}: ${params.ground_truth} has ${truth.queries.length} queries, and there are features of ${queries.rows}`,
        );
      }
      const largest = Math.max(...truth.queries.flatMap((query) => Object.values(query).flat()));
      if (largest >= database.rows) {
        throw new Error(`${name}: the ground truth names image ${largest} of a database of ${database.rows}`);
      }
      const ranked = rankings(await similarities(queries, database), queries.rows);
      const score = (own: Parameters<typeof retrievalScores>[1]) => {
        const { map, precision } = retrievalScores(ranked, own, params.kappas);
        const at = params.kappas.map((kappa, i) => [`precision_at_${kappa}`, 100 * precision[i]]);
        return { mAP: 100 * map, ...Object.fromEntries(at) };
      };
      if (truth.kind === 'plain') return { metrics: score(truth.queries) };
      const each = Object.entries(REVISITED).map(([kind, choose]) => [kind, score(truth.queries.map(choose))]);
      return { metrics: Object.fromEntries(each) };
    };
  },
});
