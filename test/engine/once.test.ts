import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GraphEvent } from '../../runtime/events.ts';
import { classifier, runDocument, withFolder } from './fixtures/graph.ts';

/** The trunk's features are collected over a phase of their own. */
const evaluated = (evaluate: unknown[], epochs = 4): object =>
  classifier({
    nodes: {
      eval_batch: { type: 'collator/default', from: 'tensors', batch_size: 5, phase: 'extract' },
      trunk: { type: 'test/trunk', inputs: { images: { train: 'batch.images', extract: 'eval_batch.images' } } },
      noise: { type: 'test/noise', inputs: { x: { train: 'trunk.features' } } },
      bank: { type: 'test/bank', inputs: { features: { extract: 'trunk.features' }, index: 'eval_batch.index' } },
      mean: { type: 'test/mean', inputs: { bank: 'bank.bank' } },
    },
    run: { epochs, evaluate },
  });

/** What a fixed model gives is subtracted in training. */
const prepared = (): object =>
  classifier({
    nodes: {
      eval_batch: { type: 'collator/default', from: 'tensors', batch_size: 5, phase: 'extract' },
      fixed: { type: 'test/trunk', inputs: { images: 'eval_batch.images' }, frozen: true, width: 4 },
      bank: { type: 'test/bank', inputs: { features: 'fixed.features', index: 'eval_batch.index' } },
      means: { type: 'test/threshold', inputs: { bank: 'bank.bank' } },
      trunk: { type: 'test/trunk', inputs: { images: 'batch.images' } },
      noise: { type: 'test/subtract', inputs: { x: 'trunk.features', means: 'means.means' } },
    },
    run: { epochs: 2 },
  });

const isMetrics = (event: GraphEvent) => event.type === 'metrics' && event.node === 'mean';

describe('values of rate once', () => {
  it('of a trained model are made at the moments of run.evaluate, from all images of the phase', async () => {
    for (const [evaluate, expected] of [
      [
        ['start', 2],
        [0, 12, 24],
      ],
      [['end'], [24]],
      [[3], [18]],
      [[4, 'end'], [24]],
      [[], []],
    ] as const) {
      await withFolder(async (out) => {
        const iterations: number[] = [];
        const counts = new Set<number>();
        const result = await runDocument(evaluated([...evaluate]), out, {
          onEvent(event) {
            if (event.type !== 'metrics' || !isMetrics(event)) return;
            iterations.push(event.progress.iteration);
            counts.add(event.metrics['mean.count']);
          },
        });
        assert.deepEqual(iterations, expected);
        if (expected.length > 0) {
          assert.deepEqual([...counts], [24]);
          assert.equal(typeof result.metrics['mean.mean'], 'number');
        }
      });
    }
  });

  it('of a run without epochs are those of the model as it is', () =>
    withFolder(async (out) => {
      const result = await runDocument(evaluated(['end'], 0), out);
      assert.deepEqual([result.iteration, result.metrics['mean.count']], [0, 24]);
    }));

  it('change as the model does, and do not change its training', () =>
    withFolder(async (out) => {
      const means: number[] = [];
      const result = await runDocument(evaluated(['start', 1]), out, {
        onEvent(event) {
          if (event.type === 'metrics' && isMetrics(event)) means.push(event.metrics['mean.mean']);
        },
      });
      assert.equal(new Set(means).size, 5);
      const model = await readFile(join(result.checkpoint!, 'model.safetensors'));
      await withFolder(async (other) => {
        const plain = await runDocument(evaluated([]), other);
        assert.deepEqual(await readFile(join(plain.checkpoint!, 'model.safetensors')), model);
      });
    }));

  it('that were due when the run was stopped are made after the resume', () =>
    withFolder(async (out) => {
      const stop = new AbortController();
      const first = await runDocument(evaluated(['end'], 1), out, {
        signal: stop.signal,
        onEvent: (event) => {
          if (event.type === 'phase_end') stop.abort();
        },
      });
      assert.deepEqual([first.status, first.metrics['mean.count']], ['stopped', undefined]);
      const second = await runDocument(evaluated(['end'], 1), out);
      assert.deepEqual([second.status, second.metrics['mean.count']], ['done', 24]);
      const folders = (await readdir(join(out, 'checkpoints'))).filter((name) => name.startsWith('step-'));
      assert.ok(
        folders.some((name) => name.endsWith('-final')),
        `${folders}`,
      );
    }));

  it('that training reads are made first and kept; a resumed run does not make them again', () =>
    withFolder(async (out) => {
      const stop = new AbortController();
      const passes: string[] = [];
      const onEvent = (event: GraphEvent) => {
        if (event.type === 'node' && event.stage === 'once') passes.push(event.node);
      };
      await runDocument(prepared(), out, {
        signal: stop.signal,
        onEvent(event) {
          onEvent(event);
          if (event.type === 'step' && event.progress.iteration === 3) stop.abort();
        },
      });
      assert.deepEqual(passes, ['extract', 'means']);
      const resumed = await runDocument(prepared(), out, { onEvent });
      assert.deepEqual(passes, ['extract', 'means']);
      await withFolder(async (other) => {
        const whole = await runDocument(prepared(), other);
        assert.deepEqual(
          await readFile(join(resumed.checkpoint!, 'model.safetensors')),
          await readFile(join(whole.checkpoint!, 'model.safetensors')),
        );
      });
    }));

  it('without training are made once, and that is the run', () =>
    withFolder(async (out) => {
      const document = {
        name: 'extract',
        nodes: {
          images: { type: 'dataset/shapes', length: 10, size: 8 },
          tensors: { type: 'transform/to_tensor', from: 'images' },
          batch: { type: 'collator/default', from: 'tensors', batch_size: 4 },
          trunk: { type: 'test/trunk', inputs: { images: 'batch.images' } },
          bank: { type: 'test/bank', inputs: { features: 'trunk.features', index: 'batch.index' } },
          mean: { type: 'test/mean', inputs: { bank: 'bank.bank' } },
        },
        run: { workers: 0 },
      };
      const result = await runDocument(document, out);
      assert.deepEqual([result.status, result.metrics['mean.count']], ['done', 10]);
      assert.deepEqual((await readdir(out)).sort(), ['document.json', 'events.jsonl', 'metrics.json']);
    }));
});
