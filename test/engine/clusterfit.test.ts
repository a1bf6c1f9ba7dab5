import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GraphEvent } from '../../runtime/events.ts';
import { defineNode, type NodeType, T } from '../../runtime/node.ts';
import type { Tensor } from '../../runtime/tensor/types.ts';
import { openSafetensors } from '../../runtime/train/safetensors.ts';
import { runDocument, withFolder } from './fixtures/graph.ts';

/** Features of a frozen trunk, their clusters, a classifier trained on the clusters: one document. */
const clusterfit = (hooks: object[] = []): object => ({
  name: 'clusterfit',
  nodes: {
    source: { type: 'dataset/shapes', length: 48, size: 8 },
    plain: { type: 'transform/to_tensor', from: 'source' },
    extract: { type: 'collator/default', from: 'plain', batch_size: 10, phase: 'extract' },
    teacher: { type: 'test/trunk', inputs: { images: 'extract.images' }, frozen: true },
    bank: { type: 'features/bank', inputs: { features: 'teacher.features', index: 'extract.index' } },
    clusters: { type: 'cluster/kmeans', inputs: { features: 'bank.bank' }, num_clusters: 6, iterations: 8 },
    labelled: {
      type: 'dataset/relabel',
      inputs: { samples: 'source.samples', labels: 'clusters.assignments' },
    },
    flipped: { type: 'transform/random_horizontal_flip', from: 'labelled', p: 0.5 },
    tensors: { type: 'transform/to_tensor', from: 'flipped' },
    batch: { type: 'collator/default', from: 'tensors', batch_size: 8 },
    trunk: { type: 'test/trunk', inputs: { images: 'batch.images' } },
    head: { type: 'test/head', inputs: { features: 'trunk.features' }, classes: 6 },
    loss: { type: 'test/cross_entropy', inputs: { scores: 'head.scores', label: 'batch.label' } },
    sgd: { type: 'optimizer/sgd', inputs: { loss: 'loss.loss' }, lr: 0.1 },
  },
  run: { epochs: 2, workers: 0 },
  hooks,
});

const finalModel = async (checkpoint: string) => readFile(join(checkpoint, 'model.safetensors'));

describe('ClusterFit in one document', () => {
  for (const workers of [0, 2]) {
    it(`trains on the clusters of its own first phase (${workers} workers)`, async function () {
      this.timeout(120_000);
      await withFolder(async (out) => {
        const labels = new Map<number, number>();
        const watch = defineNode({
          type: 'hook/test_watch',
          description: 'labels by index',
          role: 'hook',
          params: T.Object({ outputs: T.Array(T.String()) }),
          create: () => ({
            async loss_and_meter(_event, run) {
              const [index, label] = ['batch.index', 'batch.label'].map((ref) => run.output(ref) as Tensor);
              const values = await label.data();
              for (const [row, at] of (await index.data()).entries()) labels.set(at, values[row]);
            },
          }),
        }) as NodeType;
        const document = clusterfit([{ type: 'hook/test_watch', outputs: ['batch.index', 'batch.label'] }]);
        const result = await runDocument(document, out, { extra: [watch], workers });
        assert.equal(result.status, 'done');
        const [file] = (await readdir(join(out, 'artifacts'))).filter((name) => name.includes('assignments'));
        const artifact = await openSafetensors(join(out, 'artifacts', file));
        const kept = new Int32Array(((await artifact.read('0')) as Uint8Array<ArrayBuffer>).slice().buffer);
        await artifact.close();
        assert.deepEqual(
          [...labels].sort((a, b) => a[0] - b[0]),
          [...kept.entries()],
        );
        assert.equal(new Set(kept).size, 6);
      });
    });
  }

  it('does not extract again when it is resumed, and gives the same weights', () =>
    withFolder((whole) =>
      withFolder(async (out) => {
        const expected = await runDocument(clusterfit(), whole);
        const stop = new AbortController();
        const stopped = await runDocument(clusterfit(), out, {
          signal: stop.signal,
          onEvent: (event) => {
            if (event.type === 'step' && event.progress.iteration === 4) stop.abort();
          },
        });
        assert.deepEqual([stopped.status, stopped.iteration], ['stopped', 4]);
        const events: GraphEvent[] = [];
        const result = await runDocument(clusterfit(), out, { onEvent: (event) => void events.push(event) });
        assert.deepEqual(await finalModel(result.checkpoint!), await finalModel(expected.checkpoint!));
        const ran = new Set(events.flatMap((event) => (event.type === 'node' ? [event.node] : [])));
        assert.deepEqual(
          ['teacher', 'clusters', 'extract'].filter((node) => ran.has(node)),
          [],
        );
        assert.ok(ran.has('trunk'));
      }),
    ));
});
