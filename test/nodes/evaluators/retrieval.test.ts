import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import retrieval from '../../../nodes/evaluators/retrieval.ts';
import type { FeatureBank } from '../../../nodes/features/feature-bank.ts';
import pcaWhitening from '../../../nodes/features/pca_whitening.ts';
import whitenNode from '../../../nodes/features/whiten.ts';
import type { NodeType } from '../../../runtime/node.ts';
import { createRandom } from '../../../runtime/random.ts';
import { openBackend } from '../../../runtime/tensor/backend.ts';
import type { TensorBackend } from '../../../runtime/tensor/types.ts';
import { nodeContext } from '../../support/node-context.ts';

const bank = (width: number, ...values: number[]): FeatureBank => ({
  rows: values.length / width,
  width,
  features: Float32Array.from(values),
  indices: Int32Array.from({ length: values.length / width }, (_, i) => i),
});

describe('instance retrieval', () => {
  let backend: TensorBackend;
  let folder: string;
  before(async () => {
    backend = await openBackend('wasm');
    folder = await mkdtemp(join(tmpdir(), 'pipe-retrieval-'));
  });
  after(() => rm(folder, { recursive: true }));

  const create = (definition: unknown, params: Record<string, unknown>) =>
    (definition as Extract<NodeType, { role: 'evaluator' | 'artifact' }>).create(
      nodeContext(backend, definition as NodeType, { params }),
    );

  const truth = async (content: unknown): Promise<string> => {
    const path = join(folder, 'truth.json');
    await writeFile(path, JSON.stringify(content));
    return path;
  };

  // images 0 and 1 look right, 2 up; the query looks right
  const database = bank(2, 1, 0, 0.9, 0.1, 0, 1);
  const queries = bank(2, 1, 0);

  it('scores rankings, junk left out, by dot product or distance', async () => {
    const ground_truth = await truth([{ ok: [1], junk: [0] }]);
    for (const similarity of ['dot', 'l2']) {
      const { metrics } = await create(retrieval, { ground_truth, similarity, kappas: [1, 2] })({ database, queries });
      assert.deepEqual(metrics, { mAP: 100, precision_at_1: 100, precision_at_2: 100 });
    }
    const worst = await create(retrieval, { ground_truth: await truth([{ ok: [2], junk: [] }]) })({
      database,
      queries,
    });
    // rank 2: (0/2 + 1/3) / 2
    assert.ok(Math.abs(worst.metrics.mAP - 100 / 6) < 1e-9);
  });

  it('scores revisited ground truths as easy, medium and hard; a query without positives does not count', async () => {
    const ground_truth = await truth({ gnd: [{ easy: [0], hard: [], junk: [2] }] });
    const { metrics } = await create(retrieval, { ground_truth, kappas: [] })({ database, queries });
    assert.deepEqual(metrics, { easy: { mAP: 100 }, medium: { mAP: 100 }, hard: { mAP: Number.NaN } });
  });

  it('says what does not fit', async () => {
    const run = async (content: unknown) =>
      create(retrieval, { ground_truth: await truth(content) })({ database, queries });
    await assert.rejects(run([]), /no list of queries/);
    await assert.rejects(run([{ ok: ['a'], junk: [] }]), /ok of query 0 is no list of positions/);
    await assert.rejects(run([{ ok: [3], junk: [] }]), /names image 3 of a database of 3/);
    await assert.rejects(run([{ ok: [1], junk: [] }, { ok: [1], junk: [] }]), /has 2 queries.*features of 1/); // biome-ignore format: short
  });

  it('whitening gives uncorrelated components of equal size; rows of regions are taken apart', async () => {
    const random = createRandom(1);
    const rows = 200;
    const values = Array.from({ length: rows }, () => {
      const [a, b] = [random.normal(), random.normal()];
      return [3 * a, 3 * a + 0.1 * b, b];
    }).flat();
    const { pca } = await create(pcaWhitening, { components: 2 })({ bank: bank(3, ...values) });
    const { bank: white } = await create(whitenNode, {})({ bank: bank(3, ...values), pca });
    const { features, width } = white as FeatureBank;
    assert.equal(width, 2);
    const product = (i: number, j: number) => {
      let sum = 0;
      for (let row = 0; row < rows; row++) sum += features[2 * row + i] * features[2 * row + j];
      return sum;
    };
    assert.ok(Math.abs(product(0, 0) - 1) < 1e-4 && Math.abs(product(1, 1) - 1) < 1e-4);
    assert.ok(Math.abs(product(0, 1)) < 1e-4);
    const apart = await create(pcaWhitening, { components: 2, regions: 2 })({ bank: bank(6, ...values) });
    assert.deepEqual(apart.pca, pca);
    await assert.rejects(
      async () => create(whitenNode, {})({ bank: bank(2, 1, 2), pca }),
      /the pca is of 3 values, and the bank's rows have 2/,
    );
  });
});
