/** Runs from a program, on one rank and on several. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { GraphEvent } from '../../runtime/events.ts';
import { packageRoot } from '../../runtime/package.ts';
import { type StartOptions, startPipeline } from '../../runtime/pipeline/start.ts';
import { WrongRequest } from '../../runtime/pipeline/wrong-request.ts';
import { withFolder } from '../engine/fixtures/graph.ts';
import { fixtureTypes } from '../engine/fixtures/types.ts';

const small = [
  ...['train_images=32', 'test_images=8', 'batch_size=4', 'size=16', 'size_crops=[16]', 'crop_scales=[[0.3,1]]'],
  ...['prototypes=[8]', 'run.evaluate=[]'],
];

function started(out: string, more: Partial<StartOptions> = {}, epochs = 1, document: object = {}) {
  const events: GraphEvent[] = [];
  const run = startPipeline(
    { extends: 'quick/swav', hooks: [], ...document },
    { out, device: 'wasm', workers: 0, ...more, overrides: [...small, `epochs=${epochs}`] },
  );
  run.events.subscribe((event) => events.push(event));
  return { ...run, events, seen: run.events };
}

const steps = (events: readonly GraphEvent[]) =>
  events.flatMap((event) => (event.type === 'step' ? [{ images: event.images, step: event.progress.step }] : []));

describe('startPipeline', function () {
  this.timeout(180_000); // processes on a machine that others use

  it('runs on several ranks, tells the events of rank 0, and completes', () =>
    withFolder(async (folder) => {
      const trace = join(folder, 'trace.json');
      const { finished, events, seen } = started(folder, { ranks: 2, trace });
      let complete = false;
      seen.subscribe({ complete: () => (complete = true) });
      const { status, iteration, checkpoint, metrics } = await finished;
      assert.deepEqual([status, iteration], ['done', 4]);
      assert.ok(existsSync(join(checkpoint!, 'manifest.json')));
      assert.ok(Number.isFinite(metrics.train_loss));
      assert.deepEqual(
        steps(events),
        [1, 2, 3, 4].map((step) => ({ images: 8, step })),
      );
      assert.equal(events.filter(({ type }) => type === 'end').length, 1);
      assert.ok(complete);
      assert.ok(existsSync(trace) && existsSync(`${trace}.rank-1`), 'a trace per rank');
      assert.match(readFileSync(join(folder, 'document.json'), 'utf8'), /"epochs": 1/);
    }));

  it('stops all ranks after the same step, and goes on', () =>
    withFolder(async (folder) => {
      const first = started(folder, { ranks: 2 }, 50);
      first.seen.subscribe((event) => {
        if (event.type === 'step' && event.progress.iteration === 3) first.stop();
      });
      const { status, iteration, checkpoint } = await first.finished;
      assert.equal(status, 'stopped');
      assert.ok(checkpoint && iteration >= 3 && iteration < 200, `${iteration}`);
      const second = started(folder, { ranks: 2, resume: 'auto' }, 50);
      second.seen.subscribe((event) => {
        if (event.type === 'step') second.abort();
      });
      const ended = await second.finished;
      assert.equal(ended.status, 'stopped');
      assert.ok(ended.iteration > iteration, 'it went on from the checkpoint');
    }));

  it('a run on one rank ends at once when it is aborted', () =>
    withFolder(async (folder) => {
      const { finished, seen, abort } = started(folder, {}, 50);
      seen.subscribe(({ type }) => {
        if (type === 'step') abort();
      });
      const { status, checkpoint } = await finished;
      assert.deepEqual([status, checkpoint], ['stopped', undefined]);
    }));

  it('names the rank that failed', () =>
    withFolder(async (folder) => {
      const node = pathToFileURL(join(packageRoot, 'runtime', 'node.ts')).href;
      const plugin = join(folder, 'fails.ts');
      writeFileSync(
        plugin,
        `import { defineNode, T } from '${node}';
         export default defineNode({ type: 'hook/fails', description: 'fails', role: 'hook', params: T.Object({}),
           create: () => ({ step() { if (process.env.RANK === '1') throw new Error('no more'); } }) });`,
      );
      const { finished } = started(folder, { ranks: 2, plugin: [plugin] }, 1, { hooks: [{ type: 'hook/fails' }] });
      await assert.rejects(finished, /^Error: rank 1 failed: hook fails failed on step: no more$/);
    }));

  const refused = (options: Partial<StartOptions>, message: RegExp) =>
    withFolder(async (folder) => {
      const { finished } = started(join(folder, 'run'), options);
      await assert.rejects(finished, (error: unknown) => error instanceof WrongRequest && message.test(error.message));
      assert.ok(!existsSync(join(folder, 'run')), 'nothing is written');
    });

  it('refuses what cannot be before anything runs', async () => {
    await refused({ ranks: 0 }, /ranks wants a whole number, 1 or more/);
    await refused({ ranks: 2, restarts: -1 }, /restarts wants a whole number, 0 or more/);
    await refused({ nodes: 2 }, /2 nodes, but no place to meet.*rendezvous tcp/s);
    await refused({ ranks: 2, nodes: 2, nodeRank: 2, rendezvous: 'env' }, /nodeRank 2 of 2 nodes/);
    await refused({ ranks: 2, types: fixtureTypes }, /types: node types made in this program are not known/);
    await refused({ ranks: 2, device: 'abacus' }, /there is no device "abacus"/);
  });
});
