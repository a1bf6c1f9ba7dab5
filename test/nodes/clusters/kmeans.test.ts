import assert from 'node:assert/strict';
import kmeans from '../../../nodes/clusters/kmeans.ts';
import type { FeatureBank } from '../../../nodes/features/feature-bank.ts';
import type { NodeType } from '../../../runtime/node.ts';
import { createRandom } from '../../../runtime/random.ts';
import { openBackend } from '../../../runtime/tensor/backend.ts';
import { nodeContext } from '../../support/node-context.ts';

type Artifact = Extract<NodeType, { role: 'evaluator' | 'artifact' }>;

const type = kmeans as unknown as Artifact;

/** Points around corners, the corners taking turns. */
function blobs(rows: number, corners: readonly (readonly number[])[], spread: number): FeatureBank {
  const random = createRandom(7, 'blobs');
  const width = corners[0].length;
  const features = Float32Array.from(
    { length: rows * width },
    (_, i) => corners[Math.floor(i / width) % corners.length][i % width] + spread * random.normal(),
  );
  return { rows, width, features, indices: Int32Array.from({ length: rows }, (_, i) => i) };
}

async function cluster(bank: FeatureBank, params: Record<string, unknown>, name = 'clusters') {
  const backend = await openBackend('cpu');
  const run = type.create(nodeContext(backend, type as NodeType, { params, name }));
  const values = await run({ features: bank });
  const centroids = Float32Array.from(await values.centroids.data());
  values.centroids.dispose();
  return { ...values, centroids } as Record<string, any>;
}

describe('cluster/kmeans', () => {
  it('finds clusters that lie apart, with their means and squared distances', async () => {
    const corners = [
      [10, 0],
      [0, 10],
      [-10, -10],
    ];
    const bank = blobs(300, corners, 0.1);
    // the name decides the first centroids: here one in each corner
    const params = { num_clusters: 3, iterations: 10, l2_normalize: false };
    const { assignments, centroids, distances, metrics } = await cluster(bank, params, 'a');
    for (let i = 3; i < 300; i++) assert.equal(assignments[i], assignments[i % 3]);
    assert.equal(new Set(assignments.slice(0, 3)).size, 3);
    for (let corner = 0; corner < 3; corner++) {
      const members = Array.from({ length: 100 }, (_, i) => 3 * i + corner);
      const k = assignments[corner];
      for (let j = 0; j < 2; j++) {
        const mean = members.reduce((sum, row) => sum + bank.features[row * 2 + j], 0) / 100;
        assert.ok(Math.abs(centroids[k * 2 + j] - mean) < 1e-4);
      }
    }
    const squared = (row: number) =>
      [0, 1].reduce((sum, j) => sum + (bank.features[row * 2 + j] - centroids[assignments[row] * 2 + j]) ** 2, 0);
    for (let row = 0; row < 300; row++) assert.ok(Math.abs(distances[row] - squared(row)) < 1e-4);
    assert.deepEqual([metrics.smallest, metrics.largest], [100, 100]);
  });

  it('gives every centroid rows, also where most points are alike', async () => {
    const bank = blobs(200, [[1, 1, 1]], 0);
    // ten rows of each of four places, the rest in one: first centroids coincide
    for (let row = 0; row < 40; row++) bank.features.set([10 * (row % 4), 5, row % 4], row * 3);
    const { metrics } = await cluster(bank, { num_clusters: 5, iterations: 20, l2_normalize: false });
    assert.deepEqual([metrics.smallest, metrics.largest], [10, 160]);
    assert.ok(metrics.distance < 1e-3, `${metrics.distance}`);
  });

  it('normalises with 1e-5 beside the length, repeats itself, and leaves -1 for samples without features', async () => {
    const plain = blobs(60, [[3, 4]], 1);
    const bank = { ...plain, indices: plain.indices.map((i) => 2 * i + 1) };
    const params = { num_clusters: 5, iterations: 4 };
    const [a, b] = [await cluster(bank, params), await cluster(bank, params)];
    assert.deepEqual(a, b);
    assert.equal(a.assignments.length, 120);
    for (let i = 0; i < 120; i++) assert.equal(a.assignments[i] >= 0, i % 2 === 1);
    const scaled = plain.features.map((value, i) => {
      const row = i - (i % 2);
      return value / (Math.hypot(plain.features[row], plain.features[row + 1]) + 1e-5);
    });
    const c = await cluster({ ...bank, features: scaled }, { ...params, l2_normalize: false });
    assert.deepEqual(c.assignments, a.assignments);
    for (let i = 0; i < 10; i++) assert.ok(Math.abs(a.centroids[i] - c.centroids[i]) < 1e-6);
  });

  it('wants no more clusters than there are features', async () => {
    await assert.rejects(
      cluster(blobs(3, [[1, 0]], 1), { num_clusters: 4 }),
      /clusters: 4 clusters of 3 features. Take fewer clusters/,
    );
  });
});
