import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { classifier, runDocument, withFolder } from './fixtures/graph.ts';

const WEIGHT_DECAY = { schedule: 'cosine', start: 0.04, end: 0.4 };

const document = (weight_decay: unknown = WEIGHT_DECAY) =>
  classifier({
    nodes: { sgd: { type: 'optimizer/adamw', inputs: { loss: 'loss.loss' }, lr: 0.01, weight_decay } },
    hooks: [{ type: 'hook/jsonl', flush: 1 }],
  });

const modelOf = (checkpoint: string) => readFile(join(checkpoint, 'model.safetensors'));

interface Line {
  readonly iteration: number;
  readonly weightDecay?: readonly number[];
}

const linesOf = async (out: string): Promise<Line[]> =>
  (await readFile(join(out, 'steps.jsonl'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

describe('weight decay over a schedule', () => {
  it('is logged with each step, and goes on where a stopped run left off', () =>
    withFolder(async (out) => {
      const whole = await runDocument(document(), join(out, 'whole'));
      const lines = await linesOf(join(out, 'whole'));
      assert.equal(lines.length, 12);
      for (const { iteration, weightDecay } of lines) {
        const where = (iteration - 1) / 12;
        const want = 0.4 + 0.5 * (0.04 - 0.4) * (1 + Math.cos(Math.PI * where));
        assert.equal(weightDecay?.length, 1);
        assert.ok(Math.abs(weightDecay[0] - want) < 1e-12, `iteration ${iteration}: ${weightDecay}, not ${want}`);
      }

      const stop = new AbortController();
      const stopped = await runDocument(document(), join(out, 'parts'), {
        signal: stop.signal,
        onEvent: (event) => {
          if (event.type === 'step' && event.progress.training && event.progress.iteration === 5) stop.abort();
        },
      });
      assert.equal(stopped.iteration, 5);
      const resumed = await runDocument(document(), join(out, 'parts'));
      assert.deepEqual(await modelOf(resumed.checkpoint!), await modelOf(whole.checkpoint!));
      assert.deepEqual(
        (await linesOf(join(out, 'parts'))).map(({ weightDecay }) => weightDecay),
        lines.map(({ weightDecay }) => weightDecay),
      );
    }));

  it('matters, and a number is not logged', () =>
    withFolder(async (out) => {
      const moving = await runDocument(document(), join(out, 'moving'));
      const still = await runDocument(document(0.04), join(out, 'still'));
      assert.notDeepEqual(await modelOf(moving.checkpoint!), await modelOf(still.checkpoint!));
      assert.ok((await linesOf(join(out, 'still'))).every((line) => !('weightDecay' in line)));
    }));
});
