import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { pipe, startPipe, tiny, withFolder } from './support.ts';

const picture = (path: string, hue: number): Promise<unknown> =>
  sharp({ create: { width: 40, height: 30, channels: 3, background: { r: hue, g: 255 - hue, b: 90 } } })
    .jpeg()
    .toFile(path);

async function classFolders(root: string): Promise<void> {
  for (const split of ['train', 'test']) {
    for (const [hue, name] of ['cats', 'dogs'].entries()) {
      mkdirSync(join(root, split, name), { recursive: true });
      for (let i = 0; i < 12; i++) await picture(join(root, split, name, `${i}.jpg`), 40 + 160 * hue + i);
    }
  }
}

/** Calls back once the run has done so many steps, read from the events it writes. */
function whenSteps(out: string, steps: number, then: () => void): void {
  const file = join(out, 'events.jsonl');
  const timer = setInterval(() => {
    const done = existsSync(file) ? readFileSync(file, 'utf8').split('"type":"step"').length - 1 : 0;
    if (done < steps) return;
    clearInterval(timer);
    then();
  }, 20);
}

describe('pipe run', () => {
  it(
    'trains, evaluates before and after, leaves a run folder, and knows that it is complete',
    withFolder(async (folder) => {
      const first = await pipe('run', ...tiny, '--out', folder, '--device', 'wasm', '--json');
      assert.equal(first.code, 0, first.stderr);
      const result = JSON.parse(first.stdout);
      assert.equal(result.status, 'done');
      assert.equal(result.iteration, 3);
      for (const file of ['document.json', 'events.jsonl', 'metrics.json', 'checkpoints/latest']) {
        assert.ok(existsSync(join(folder, file)), file);
      }
      const metrics = readFileSync(join(folder, 'metrics.json'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      const knn = metrics.filter((line) => Object.keys(line).some((name) => name.startsWith('knn')));
      assert.deepEqual(
        knn.map(({ iteration }) => iteration),
        [0, 3],
      );
      const again = await pipe('run', ...tiny, '--out', folder, '--device', 'wasm');
      assert.equal(again.code, 0);
      assert.match(again.stderr, /complete/);
    }),
  );

  it(
    'finishes the step on SIGINT, writes a checkpoint, says how to resume, and resumes',
    withFolder(async (folder) => {
      const args = ['run', ...tiny, 'train_images=800', '--out', folder, '--device', 'wasm'];
      const stopped = await startPipe(args, {
        onStart: (child) => whenSteps(folder, 2, () => child.kill('SIGINT')),
      });
      assert.equal(stopped.code, 0, stopped.stderr);
      assert.match(stopped.stderr, /SIGINT: finishing the step/);
      assert.match(stopped.stderr, /stopped at iteration \d+\. The same command goes on from /);
      const resumed = await pipe(...args);
      assert.equal(resumed.code, 0, resumed.stderr);
      assert.match(resumed.stderr, /goes on from .*iteration \d+/);
      assert.match(resumed.stderr, /done in/);
    }),
  );

  it(
    'stops at once on a second SIGINT, without a trace of the first checkpoint being lost',
    withFolder(async (folder) => {
      const args = ['run', ...tiny, 'train_images=800', '--out', folder, '--device', 'wasm'];
      const stopped = await startPipe(args, {
        onStart: (child) =>
          whenSteps(folder, 2, () => {
            child.kill('SIGINT');
            child.kill('SIGTERM');
          }),
      });
      assert.notEqual(stopped.code, null, 'it ended by itself, not by the signal');
      const resumed = await pipe(...args);
      assert.equal(resumed.code, 0, resumed.stderr);
    }),
  );

  it(
    'replaces a bad picture, counts and names it',
    withFolder(async (folder) => {
      await classFolders(join(folder, 'data'));
      const bad = join(folder, 'data', 'train', 'cats', '3.jpg');
      truncateSync(bad, 200);
      const { code, stderr } = await pipe(
        'run',
        ...tiny,
        `data=${join(folder, 'data')}`,
        '--out',
        join(folder, 'run'),
        '--device',
        'wasm',
      );
      assert.equal(code, 0, stderr);
      assert.match(stderr, /bad image/);
      assert.match(stderr, /cats.3\.jpg/);
    }),
  );

  it(
    'ends with 1 and names the node when the loss is not finite',
    withFolder(async (folder) => {
      const { code, stderr } = await pipe('run', ...tiny, 'lr=1e30', 'epochs=3', '--out', folder, '--device', 'wasm');
      assert.equal(code, 1, stderr);
      assert.match(stderr, /(NaN|Infinity|finite)/);
      assert.match(stderr, /head|trunk|loss/);
      assert.doesNotMatch(stderr, /\n {4}at /);
    }),
  );

  it('refuses an unknown device, a GPU that is not there, and workers that are no number', async () => {
    for (const [args, said] of [
      [['--device', 'tpu'], /no device "tpu"/],
      [['--device', 'wasm', '--require', 'gpu'], /GPU is required/],
      [['--workers', 'many'], /--workers/],
    ] as const) {
      const { code, stderr } = await pipe('run', ...tiny, ...args);
      assert.equal(code, 2);
      assert.match(stderr, said);
    }
  });

  it(
    'refuses to go on from the checkpoint of another pipeline',
    withFolder(async (folder) => {
      const first = await pipe('run', ...tiny, '--out', folder, '--device', 'wasm');
      assert.equal(first.code, 0, first.stderr);
      const other = await pipe('run', ...tiny, 'width=0.25', '--out', folder, '--device', 'wasm');
      assert.equal(other.code, 1);
      assert.match(other.stderr, /checkpoint of another pipeline[\s\S]*width_multiplier[\s\S]*--fresh/);
    }),
  );

  it(
    'refuses an empty folder and a folder without the labels that kNN needs',
    withFolder(async (folder) => {
      mkdirSync(join(folder, 'empty'));
      const empty = await pipe('run', ...tiny, `data=${join(folder, 'empty')}`);
      assert.equal(empty.code, 2);
      assert.match(empty.stderr, /empty|no (image|picture)/i);
      mkdirSync(join(folder, 'flat'));
      for (let i = 0; i < 8; i++) await picture(join(folder, 'flat', `${i}.jpg`), 20 * i);
      const flat = await pipe('run', ...tiny, `data=${join(folder, 'flat')}`, '--out', join(folder, 'run'));
      assert.equal(flat.code, 1, flat.stderr);
      assert.match(flat.stderr, /same label.*folder per class/);
    }),
  );

  it(
    'runs the examples: a loss and a hook of one’s own',
    withFolder(async (folder) => {
      const small = tiny.slice(1);
      const loss = await pipe(
        'run',
        'examples/uniformity.json',
        ...small,
        '--plugin',
        'examples/uniformity.ts',
        '--out',
        join(folder, 'a'),
        '--device',
        'wasm',
      );
      assert.equal(loss.code, 0, loss.stderr);
      const hook = await pipe(
        'run',
        ...tiny,
        '--with',
        'examples/epoch-report.json',
        '--plugin',
        'examples/epoch-report.ts',
        '--out',
        join(folder, 'b'),
        '--device',
        'wasm',
      );
      assert.equal(hook.code, 0, hook.stderr);
      assert.match(hook.stderr, /epoch 1: loss \d/);
    }),
  );
});
