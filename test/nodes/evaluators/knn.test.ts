import assert from 'node:assert/strict';
import fc from 'fast-check';
import knn from '../../../nodes/evaluators/knn.ts';
import { nearest } from '../../../nodes/evaluators/nearest.ts';
import bank from '../../../nodes/features/bank.ts';
import type { FeatureBank } from '../../../nodes/features/feature-bank.ts';
import type { NodeType, Values } from '../../../runtime/node.ts';
import { openBackend } from '../../../runtime/tensor/backend.ts';
import type { TensorBackend } from '../../../runtime/tensor/types.ts';
import { nodeContext } from '../../support/node-context.ts';

type Fold = Extract<NodeType, { role: 'bank' | 'meter' }>;
type Once = Extract<NodeType, { role: 'evaluator' | 'artifact' }>;

const step = { phase: 'bank', training: false, iteration: 0, epoch: 0 };

describe('features/bank and evaluator/knn', () => {
  let backend: TensorBackend;
  before(async () => {
    backend = await openBackend('wasm');
  });

  const openBank = (params = {}) =>
    (bank as unknown as Fold).create(nodeContext(backend, bank as NodeType, { params }));
  const evaluate = (params: object, values: Values, notices: string[] = []) =>
    (knn as unknown as Once).create(
      nodeContext(backend, knn as NodeType, { params: { ...params }, onNotice: (message) => notices.push(message) }),
    )(values) as Promise<any>;
  const bankOf = (features: number[][], labels?: number[]): FeatureBank => ({
    rows: features.length,
    width: features[0].length,
    features: Float32Array.from(features.flat()),
    indices: Int32Array.from(features, (_, i) => i),
    ...(labels ? { labels: Int32Array.from(labels) } : {}),
  });

  it('a bank is sorted by index, each sample once, the first time it came', async () => {
    const { tf } = backend;
    const fold = openBank();
    fold.reset();
    await backend.scopeAsync(async () => {
      const label = tf.tensor1d([7, 8], 'int32');
      await fold.add({ features: tf.tensor2d([[3], [1]]), label, index: tf.tensor1d([3, 1], 'int32') }, step);
      await fold.add({ features: tf.tensor2d([[9], [0]]), label, index: tf.tensor1d([3, 0], 'int32') }, step);
    });
    const { bank: made } = (await fold.finish()) as { bank: FeatureBank };
    assert.deepEqual([...made.indices], [0, 1, 3]);
    assert.deepEqual([...made.features], [0, 1, 3]);
    assert.deepEqual([...made.labels!], [8, 8, 7]);
  });

  it('maps are averaged, or flattened channels first', async () => {
    const { tf } = backend;
    const map = () => tf.tensor4d([1, 10, 2, 20, 3, 30, 4, 40], [1, 2, 2, 2]);
    const collect = async (maps: string) => {
      const fold = openBank({ maps });
      fold.reset();
      await backend.scopeAsync(
        async () => void (await fold.add({ features: map(), index: tf.tensor1d([0], 'int32') }, step)),
      );
      return ((await fold.finish()) as { bank: FeatureBank }).bank;
    };
    assert.deepEqual([...(await collect('average')).features], [2.5, 25]);
    const flat = await collect('flatten');
    assert.deepEqual([...flat.features], [1, 2, 3, 4, 10, 20, 30, 40]);
    assert.equal(flat.labels, undefined);
  });

  it('nearest rows are those of sorting everything', async () => {
    const values = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 24, maxLength: 24 });
    await fc.assert(
      fc.asyncProperty(values, values, fc.integer({ min: 1, max: 12 }), async (a, b, k) => {
        const [rows, width] = [12, 2];
        const matrix = (list: number[]) => ({ rows, width, values: Float32Array.from(list) });
        const found = await nearest(backend.tf, matrix(a), matrix(b), k);
        for (let q = 0; q < rows; q++) {
          const all = Array.from({ length: rows }, (_, row) => ({
            row,
            similarity: a[2 * row] * b[2 * q] + a[2 * row + 1] * b[2 * q + 1],
          }));
          all.sort((x, y) => y.similarity - x.similarity || x.row - y.row);
          const want = all.slice(0, k).map(({ row }) => row);
          assert.deepEqual([...found.rows.subarray(q * k, (q + 1) * k)], want);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('votes are weighted, k may exceed the bank, lengths do not count', async () => {
    const features = [
      [1, 0],
      [0.9, 0.1],
      [0, 5],
    ];
    const notices: string[] = [];
    const values = {
      bank: bankOf(features, [0, 0, 1]),
      queries: bankOf(
        [
          [10, 1],
          [0, 0.1],
        ],
        [0, 1],
      ),
    };
    const { metrics } = await evaluate({ k: 200 }, values, notices);
    assert.deepEqual(metrics, { top1: 100 });
    assert.match(notices[0], /k is 200, but the bank has 3 rows/);
  });

  it('top5 is told from five classes on', async () => {
    const features = Array.from({ length: 6 }, (_, i) => [Math.cos(i), Math.sin(i)]);
    const labels = [0, 1, 2, 3, 4, 5];
    const { metrics } = await evaluate({ k: 6 }, { bank: bankOf(features, labels), queries: bankOf(features, labels) });
    assert.equal(metrics.top1, 100);
    assert.equal(metrics.top5, 100);
  });

  it('says when labels are missing', async () => {
    const values = { bank: bankOf([[1]]), queries: bankOf([[1]], [0]) };
    await assert.rejects(async () => evaluate({}, values), /bank has no labels\. Connect "label"/);
  });
});
