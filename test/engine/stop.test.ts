import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { singleRank } from '../../runtime/engine/ranks.ts';
import { readState, writeRankState } from '../../runtime/engine/saving.ts';
import type { Ranks } from '../../runtime/node.ts';
import { defineNode, T } from '../../runtime/node.ts';
import { openBackend } from '../../runtime/tensor/backend.ts';
import { findCheckpoint } from '../../runtime/train/resume.ts';
import { classifier, runDocument, withFolder } from './fixtures/graph.ts';

const checkpoints = async (out: string) =>
  (await readdir(join(out, 'checkpoints')).catch(() => [])).filter((name) => name.startsWith('step-'));

describe('stopping a run', () => {
  it('in order: the step is finished, a checkpoint is written, the hint says how to go on', () =>
    withFolder(async (out) => {
      const stop = new AbortController();
      const seen: string[] = [];
      const result = await runDocument(classifier(), out, {
        signal: stop.signal,
        onEvent(event) {
          if (event.type === 'forward' && event.progress.iteration === 3) stop.abort();
          if (stop.signal.aborted && event.type !== 'node' && event.type !== 'wait') seen.push(event.type);
        },
      });
      assert.deepEqual([result.status, result.iteration], ['stopped', 4]);
      assert.deepEqual(seen, ['forward', 'loss_and_meter', 'backward', 'update', 'step', 'checkpoint', 'notice']);
      assert.deepEqual(await checkpoints(out), ['step-0000000004-epoch-0000-phase-0-batch-4']);
      assert.match(result.resumeHint!, /The same command goes on from .*step-0000000004/);
    }));

  it('at once: nothing more is written', () =>
    withFolder(async (out) => {
      const now = new AbortController();
      const result = await runDocument(classifier(), out, {
        stopNow: now.signal,
        onEvent: (event) => {
          if (event.type === 'step' && event.progress.iteration === 4) now.abort();
        },
      });
      assert.equal(result.status, 'stopped');
      assert.equal(result.resumeHint, 'Nothing was saved: the same command begins anew');
      assert.deepEqual(await checkpoints(out), []);
    }));

  it('before it began: nothing is trained', () =>
    withFolder(async (out) => {
      const result = await runDocument(classifier(), out, { signal: AbortSignal.abort() });
      assert.deepEqual([result.status, result.iteration], ['stopped', 0]);
      assert.deepEqual(await checkpoints(out), []);
    }));

  it('by a hook', () =>
    withFolder(async (out) => {
      const hook = defineNode({
        type: 'hook/enough',
        description: 'stops after two steps',
        role: 'hook',
        params: T.Object({}),
        create: () => ({ step: ({ progress }, run) => (progress.iteration === 2 ? run.stop('enough') : undefined) }),
      });
      const notices: string[] = [];
      const result = await runDocument(classifier({ hooks: [{ type: 'hook/enough' }] }), out, {
        extra: [hook],
        onEvent: (event) => {
          if (event.type === 'notice') notices.push(event.message);
        },
      });
      assert.deepEqual([result.status, result.iteration], ['stopped', 2]);
      assert.deepEqual(notices, ['stopped after iteration 2: enough']);
    }));

  it('on one rank stops all after the same step; the loss is the mean, and each rank keeps its own state', () =>
    withFolder(async (out) => {
      const { tf } = await openBackend('cpu');
      const folder = join(out, 'checkpoints');
      // the other rank of two: its losses are 0, and in its third step it is asked to stop
      const own: number[] = [];
      const ranks: Ranks = {
        ...singleRank,
        size: 2,
        async allReduce(x: any): Promise<any> {
          if (x.rank !== 1 || x.shape[0] !== 2) return x.clone();
          own.push((await x.data())[0]);
          return tf.mul(tf.add(x, tf.tensor([0, own.length === 3 ? 1 : 0])), 0.5);
        },
        async barrier() {
          const [aside] = (await readdir(folder).catch(() => [])).filter((name) => name.startsWith('.tmp-'));
          if (!aside) return;
          const collected = {
            model: [],
            optimizer: [],
            state: [],
            numbers: { 'center.seen': 77 },
            hooks: { probe: 5 },
          };
          await writeRankState(join(folder, aside), 1, collected);
        },
      };
      const reported: number[] = [];
      const result = await runDocument(classifier({ run: { epochs: 1 } }), out, {
        ranks,
        onEvent: (event) => {
          if (event.type === 'update') reported.push(event.loss!);
        },
      });
      assert.deepEqual([result.status, result.iteration], ['stopped', 3]);
      assert.deepEqual(
        reported,
        own.map((loss) => loss / 2),
      );
      const { found } = await findCheckpoint(folder);
      assert.deepEqual((await readState(found!, 1)).numbers, { 'center.seen': 77 });
      assert.deepEqual((await readState(found!, 1)).hooks, { probe: 5 });
      assert.deepEqual((await readState(found!, 0)).numbers, {});
      // fewer ranks wrote it than go on with it: the state of rank 0
      assert.deepEqual((await readState(found!, 2)).numbers, {});
    }));
});
