import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isLogMoment } from '../../runtime/engine/recorder.ts';
import { createStopwatch } from '../../runtime/engine/speed.ts';
import type { GraphEvent } from '../../runtime/events.ts';
import { classifier, resumable, runDocument, withFolder } from './fixtures/graph.ts';

interface TraceEntry {
  ph: string;
  name: string;
  tid: number;
  ts: number;
  dur: number;
  cat: string;
  args: Record<string, unknown>;
}

describe('what a run leaves to look at', () => {
  it('a Chrome trace: nodes by stream, copies, waits, events; no two spans of a stream overlap', () =>
    withFolder(async (out) => {
      const path = join(out, 'trace.json');
      await runDocument(resumable(), join(out, 'run'), { trace: path });
      const entries = JSON.parse(await readFile(path, 'utf8')) as TraceEntry[];
      const lanes = new Map(entries.filter(({ ph }) => ph === 'M').map(({ tid, args }) => [tid, args.name]));
      assert.deepEqual([...lanes.values()].sort(), ['branch-1', 'branch-2', 'copy', 'events', 'main', 'waits']);
      const spans = entries.filter(({ ph }) => ph === 'X');
      const count = (cat: string, name: string) =>
        spans.filter((span) => span.cat === cat && span.name === name).length;
      // 8 training batches and 2 test batches in each of 3 epochs
      assert.equal(count('forward', 'trunk'), 30);
      assert.equal(count('load', 'batch'), 24);
      assert.equal(count('load', 'test_batch'), 6);
      assert.equal(count('backward', 'total.loss'), 24);
      assert.equal(count('wait', 'batch'), 24);
      const names = entries.filter(({ ph }) => ph === 'i').map(({ name }) => name);
      const epoch = ['phase_start', 'phase_end', 'phase_start', 'phase_end'];
      assert.deepEqual(names, ['start', ...epoch, ...epoch, ...epoch, 'end']);
      for (const [tid, lane] of lanes) {
        const own = spans.filter((span) => span.tid === tid).sort((a, b) => a.ts - b.ts);
        own.forEach((span, i) => {
          assert.ok(span.dur >= 0 && span.ts >= 0);
          assert.ok(i === 0 || own[i - 1].ts + own[i - 1].dur <= span.ts + 1e-3, `${lane}: ${span.name}`);
        });
      }
    }));

  it('events.jsonl: begin and end of phases, checkpoints, metrics, steps at log moments', () =>
    withFolder(async (out) => {
      await runDocument(resumable(), out);
      const lines = (await readFile(join(out, 'events.jsonl'), 'utf8')).trim().split('\n');
      const events = lines.map((line) => JSON.parse(line) as GraphEvent);
      const counts: Record<string, number> = {};
      for (const { type } of events) counts[type] = (counts[type] ?? 0) + 1;
      // steps 1, 5, 10, 15, 20; checkpoints at every third of 24 steps, and the final one
      assert.deepEqual(counts, {
        start: 1,
        phase_start: 6,
        phase_end: 6,
        end: 1,
        metrics: 6,
        step: 5,
        checkpoint: 9,
      });
    }));

  it('the resolved document', () =>
    withFolder(async (out) => {
      const document = classifier({ run: { epochs: 1 } });
      await runDocument(document, out);
      const kept = JSON.parse(await readFile(join(out, 'document.json'), 'utf8'));
      assert.equal(kept.nodes.trunk.type, 'test/trunk');
      await withFolder(async (other) => {
        await runDocument(kept, other);
        assert.deepEqual(JSON.parse(await readFile(join(other, 'document.json'), 'utf8')), kept);
      });
    }));

  it('the metrics of a finished run, when it is asked for again', () =>
    withFolder(async (out) => {
      const first = await runDocument(resumable(), out);
      const again = await runDocument(resumable(), out);
      assert.equal(again.status, 'finished');
      assert.deepEqual(again.metrics, first.metrics);
      assert.equal(first.metrics['train_accuracy.seen'], 32);
      assert.equal(first.metrics['test_accuracy.seen'], 8);
    }));

  it('a disk that cannot be written to costs the trace, not the run', () =>
    withFolder(async (out) => {
      const path = join(out, 'folder');
      await mkdir(path);
      const notices: string[] = [];
      const result = await runDocument(classifier({ run: { epochs: 1 } }), join(out, 'run'), {
        trace: path,
        onEvent: (event) => {
          if (event.type === 'notice') notices.push(event.message);
        },
      });
      assert.equal(result.status, 'done');
      assert.match(notices.join(), /the trace cannot be written any more: EISDIR/);
    }));

  it('log moments are those of VISSL', () => {
    const moments = Array.from({ length: 130 }, (_, i) => i + 1).filter(isLogMoment);
    assert.deepEqual(moments.slice(0, 4), [1, 5, 10, 15]);
    assert.deepEqual(moments.slice(-5), [95, 100, 110, 120, 130]);
  });

  it('speed: mean step, images per second, waiting, time left', () => {
    const watch = createStopwatch();
    watch.begin(1000);
    watch.arrived(1050);
    assert.deepEqual(watch.done(1200, 64, 9), { step: 200, mean: 200, imagesPerSecond: 320, waiting: 0.25, eta: 1.8 });
    watch.arrived(1200);
    assert.deepEqual(watch.done(1300, 64, 8), {
      step: 100,
      mean: 150,
      imagesPerSecond: 128 / 0.3,
      waiting: 50 / 300,
      eta: 1.2,
    });
  });
});
