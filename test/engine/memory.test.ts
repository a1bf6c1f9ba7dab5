import assert from 'node:assert/strict';
import type { NodeType } from '../../runtime/node.ts';
import { batch, defineNode, T } from '../../runtime/node.ts';
import { openBackend } from '../../runtime/tensor/backend.ts';
import { classifier, resumable, runDocument, withFolder } from './fixtures/graph.ts';

describe('memory of a run', () => {
  it('does not grow over 1000 steps: tensors, bytes, heap', async function () {
    this.timeout(300_000);
    const backend = await openBackend('cpu');
    const before = backend.memory();
    const tensors = new Set<string>();
    const heap: number[] = [];
    await withFolder(async (out) => {
      const document = classifier({
        nodes: {
          images: { type: 'dataset/shapes', length: 1000, size: 4 },
          key_trunk: { type: 'test/trunk', inputs: { images: 'batch.images' }, frozen: true },
          key_head: { type: 'test/head', inputs: { features: 'key_trunk.features' }, frozen: true, classes: 10 },
          target: { type: 'test/centered_target', inputs: { scores: 'key_head.scores' } },
          loss: { type: 'test/cross_entropy', inputs: { scores: 'head.scores', target: 'target.target' } },
          accuracy: { type: 'test/accuracy', inputs: { scores: 'head.scores', label: 'batch.label' } },
        },
        batch: { batch_size: 1 },
        run: { epochs: 1 },
      });
      const result = await runDocument(document, out, {
        onEvent(event) {
          if (event.type !== 'step') return;
          const { tensors: count, bytes } = backend.memory();
          if (event.progress.step > 1) tensors.add(`${count} tensors, ${bytes} bytes`);
          if (event.progress.step % 100 > 0) return;
          globalThis.gc?.();
          heap.push(process.memoryUsage().heapUsed);
        },
      });
      assert.equal(result.iteration, 1000);
    });
    assert.equal(tensors.size, 1, [...tensors].join('; '));
    const growth = Math.min(...heap.slice(5)) - Math.min(...heap.slice(0, 5));
    assert.ok(growth < 20e6, `the heap grew by ${growth} bytes: ${heap}`);
    assert.deepEqual(backend.memory(), before);
  });

  it('is given back whole at the end of a run with test phases, checkpoints and state', async () => {
    const backend = await openBackend('cpu');
    const before = backend.memory();
    await withFolder((out) => runDocument(resumable(), out));
    assert.deepEqual(backend.memory(), before);
  });

  it('is given back after a node failed, and the error names the node', async () => {
    const backend = await openBackend('cpu');
    const before = backend.memory();
    const bad: NodeType = defineNode({
      type: 'test/bad',
      description: 'fails in its third step',
      role: 'compute',
      params: T.Object({}),
      inputs: { x: batch.tensor('float32', ['N', 'D']) },
      outputs: { x: batch.tensor('float32', ['N', 'D']) },
      create:
        ({ tf }) =>
        ({ x }, { iteration }) => {
          const y = tf.add(x, 1);
          if (iteration === 2) throw new Error('no third step');
          return { x: y };
        },
    });
    const document = classifier({ nodes: { noise: { type: 'test/bad', inputs: { x: 'trunk.features' } } } });
    await withFolder((out) =>
      assert.rejects(runDocument(document, out, { extra: [bad] }), {
        name: 'NodeError',
        message: 'node noise (test/bad) failed in phase train, epoch 0, iteration 2: no third step',
      }),
    );
    assert.deepEqual(backend.memory(), before);
    // the tape was closed: the next run works
    await withFolder(async (out) => assert.equal((await runDocument(classifier(), out)).status, 'done'));
  });
});
