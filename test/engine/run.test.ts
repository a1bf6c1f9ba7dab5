import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GraphEvent, HookEvent } from '../../runtime/events.ts';
import { classifier, runDocument, withFolder } from './fixtures/graph.ts';

const isHookEvent = (event: GraphEvent): event is HookEvent =>
  'progress' in event && 'time' in event && event.type !== 'metrics';

describe('runGraph', () => {
  it('runs phases that do not train after every n epochs and after the last', async () => {
    const nodes = {
      test_images: { type: 'dataset/shapes', length: 8, size: 16, split: 'test' },
      test_tensors: { type: 'transform/to_tensor', from: 'test_images' },
      test_batch: { type: 'collator/default', from: 'test_tensors', batch_size: 4, phase: 'test' },
      trunk: { type: 'test/trunk', inputs: { images: { train: 'batch.images', test: 'test_batch.images' } } },
      loss: {
        type: 'test/cross_entropy',
        inputs: { scores: 'head.scores', label: { train: 'batch.label', test: 'test_batch.label' } },
      },
    };
    const phases: string[] = [];
    await withFolder((out) =>
      runDocument(classifier({ nodes, run: { epochs: 5, test_every: 2 } }), out, {
        onEvent: (event) => {
          if (event.type === 'phase_start') phases.push(`${event.progress.phase} ${event.progress.epoch + 1}`);
        },
      }),
    );
    const trained = (epoch: number) => `train ${epoch}`;
    assert.deepEqual(phases, [
      ...[1, 2].map(trained),
      'test 2',
      ...[3, 4].map(trained),
      'test 4',
      trained(5),
      'test 5',
    ]);
  });

  it('trains: the loss falls, and the events of every batch come in order', () =>
    withFolder(async (out) => {
      const seen: string[] = [];
      const losses: number[] = [];
      const result = await runDocument(classifier({ run: { epochs: 6 } }), out, {
        onEvent(event) {
          if (!isHookEvent(event)) return;
          seen.push(event.type);
          if (event.type === 'phase_end') losses.push(event.metrics!.train_loss);
        },
      });
      assert.equal(result.status, 'done');
      assert.equal(result.iteration, 36);
      const batch = ['forward', 'loss_and_meter', 'backward', 'update', 'step'];
      const epoch = ['phase_start', ...Array(6).fill(batch).flat(), 'phase_end'];
      assert.deepEqual(seen, ['start', ...Array(6).fill(epoch).flat(), 'end']);
      assert.ok(losses.at(-1)! < losses[0], `${losses}`);
      const lines = (await readFile(join(out, 'metrics.json'), 'utf8')).trim().split('\n');
      assert.deepEqual(JSON.parse(lines[5]), {
        iteration: 36,
        phase_idx: 5,
        train_loss: losses[5],
        train_phase_idx: 5,
      });
    }));
});
