import assert from 'node:assert/strict';
import deepCluster from '../../../nodes/losses/deepclusterv2.ts';
import { sphericalKMeans } from '../../../nodes/losses/spherical-kmeans.ts';
import { singleRank } from '../../../runtime/engine/ranks.ts';
import { createState } from '../../../runtime/engine/state.ts';
import type { HookEvent, RunView } from '../../../runtime/events.ts';
import type { NodeType, Values } from '../../../runtime/node.ts';
import { openBackend } from '../../../runtime/tensor/backend.ts';
import type { TensorBackend } from '../../../runtime/tensor/types.ts';
import { createInstance, nodeContext } from '../../support/node-context.ts';

const definition = deepCluster as NodeType;

describe('loss/deepclusterv2', () => {
  let backend: TensorBackend;
  before(async () => {
    backend = await openBackend('wasm');
  });

  /** four images around two directions */
  const DIRECTIONS = [1, 0.1, 1, -0.1, 0.1, 1, -0.1, 1];

  it('fills its memory before training, clusters it, and predicts the clusters', async () => {
    const state = createState(backend);
    const instance = createInstance(
      definition,
      nodeContext(backend, definition, {
        params: { num_clusters: [2], kmeans_iters: 5 },
        symbols: { V: 2, D: 2 },
        refs: { embeddings: ['head.output'], index: ['batch.index'] },
        run: { batchSize: 2, trainSamples: 4, stepsPerEpoch: 2 },
        state,
      }),
    );
    const batchOf = (first: number) => {
      const rows = DIRECTIONS.slice(2 * first, 2 * first + 4);
      return {
        'head.output': backend.tf.tensor2d([...rows, ...rows], [4, 2]),
        'batch.index': backend.tf.tensor1d([first, first + 1, first, first + 1], 'int32'),
      };
    };
    const pass: RunView['pass'] = async ({ phase, ports, training, onBatch }) => {
      assert.equal(phase, 'train');
      // the embeddings that training has, not those of running statistics which nothing has moved yet
      assert.equal(training, true);
      assert.deepEqual(ports, ['head.output', 'batch.index']);
      for (const first of [0, 2]) await onBatch(batchOf(first));
    };
    await backend.scopeAsync(async () => {
      await instance.hooks!.start!({ progress: { epoch: -1 } } as HookEvent, { pass } as RunView);
      await instance.hooks!.phase_start!(
        { progress: { epoch: 0, training: true, step: 0 } } as HookEvent,
        {} as RunView,
      );
    });
    const read = async (name: string) => {
      const source = state.tensors(() => true).find((one) => one.name === `node.${name}`)!;
      return [...((await source.read()) as Int32Array)];
    };
    const clusters = await read('assignments');
    assert.equal(clusters[0], clusters[1]);
    assert.equal(clusters[2], clusters[3]);
    assert.notEqual(clusters[0], clusters[2]);
    await backend.scopeAsync(async () => {
      const { 'head.output': embeddings, 'batch.index': index } = batchOf(0);
      const step = { phase: 'train', training: true, iteration: 0, epoch: 0 };
      const { loss } = (await instance.run({ embeddings, index }, step)) as Values;
      const [value] = await loss.data();
      assert.ok(value < 0.01, `the clusters are far apart at temperature 0.1, and the loss is ${value}`);
    });
    state.dispose();
  });

  it('does not cluster again in the middle of an epoch', async () => {
    const state = createState(backend);
    const instance = createInstance(
      definition,
      nodeContext(backend, definition, {
        params: { num_clusters: [2] },
        symbols: { V: 2, D: 2 },
        run: { batchSize: 2, trainSamples: 4, stepsPerEpoch: 2 },
        state,
      }),
    );
    const event = { progress: { epoch: 0, training: true, step: 1 } } as HookEvent;
    await instance.hooks!.phase_start!(event, {} as RunView);
    const source = state.tensors(() => true).find((one) => one.name === 'node.assignments')!;
    assert.deepEqual([...((await source.read()) as Int32Array)], [-100, -100, -100, -100]);
    state.dispose();
  });

  it('k-means leaves a centroid without rows where it is, on the sphere', async () => {
    const { tf, ops } = backend;
    const bank = { rows: 2, width: 2, values: Float32Array.of(1, 0, 0.8, 0.6) };
    const { centroids, assignments } = await backend.scopeAsync(() =>
      sphericalKMeans({ tf, ops, ranks: singleRank }, bank, Float32Array.of(2, 1, -3, 0), 1),
    );
    assert.deepEqual([...assignments], [0, 0]);
    assert.ok(Math.abs(Math.hypot(centroids[0], centroids[1]) - 1) < 1e-6);
    assert.deepEqual([centroids[2], centroids[3]], [-1, 0]);
  });
});
