/** What a user would write, run by the command in a folder with nothing else in it. */
import assert from 'node:assert/strict';
import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../runtime/package.ts';
import { startPipe, tiny, withFolder } from './support.ts';

const take = (folder: string, ...names: string[]): void => {
  for (const name of names) copyFileSync(join(packageRoot, 'examples', name), join(folder, name));
};

const device = ['--device', 'wasm', '--workers', '0'];

function events(folder: string): { type: string; metrics?: Record<string, number> }[] {
  const lines = readFileSync(join(folder, 'events.jsonl'), 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line));
}

function finalModel(folder: string): Buffer {
  const checkpoints = join(folder, 'checkpoints');
  const name = readdirSync(checkpoints).find((entry) => entry.endsWith('-final'));
  return readFileSync(join(checkpoints, name!, 'model.safetensors'));
}

describe('an approach of one’s own, as a plugin', () => {
  it(
    'SimSiam trains: the loss falls, and kNN is printed before and after',
    withFolder(async (folder) => {
      take(folder, 'simsiam.ts', 'simsiam.json');
      const lines = readFileSync(join(folder, 'simsiam.ts'), 'utf8').split('\n').length;
      assert.ok(lines < 100, `${lines} lines`);
      const knobs = ['train_images=256', 'test_images=48', 'epochs=4', 'batch_size=32', 'size=16', 'crop=16', 'lr=2'];
      const args = ['run', 'simsiam.json', '--plugin', './simsiam.ts', ...knobs, ...device, '--out', 'out'];
      const { code, stdout, stderr } = await startPipe(args, { cwd: folder });
      assert.equal(code, 0, stderr);
      assert.equal(`${stdout}${stderr}`.match(/^knn: knn\.top1 [\d.]+/gm)?.length, 2);
      const losses = events(join(folder, 'out')).flatMap(({ type, metrics }) =>
        type === 'phase_end' ? [metrics!.train_loss] : [],
      );
      assert.equal(losses.length, 4);
      assert.ok(losses[3] < losses[0] - 0.02, `losses by epoch: ${losses}`);
      assert.ok(losses.every((loss) => loss > -1));
    }),
  ).timeout(300_000);
});

describe('a training step of one’s own', () => {
  const run = async (folder: string, name: string, ...more: string[]) => {
    const out = join(folder, name);
    const { code, stdout, stderr } = await startPipe(['run', ...tiny, ...more, ...device, '--out', out], {
      cwd: folder,
    });
    assert.equal(code, 0, stderr);
    return { out, text: stdout + stderr };
  };

  it(
    'is named by the run’s settings, gets its params, and decides what a batch changes',
    withFolder(async (folder) => {
      take(folder, 'skip-step.ts', 'skip-step.json');
      const own = ['--with', 'skip-step.json', '--plugin', './skip-step.ts'];
      const plain = await run(folder, 'plain');
      const learning = await run(folder, 'learning', ...own, 'run.step.limit=1000');
      assert.ok(finalModel(learning.out).equals(finalModel(plain.out)), 'a step that leaves nothing out');
      assert.doesNotMatch(learning.text, /is not learnt from/);
      const skipping = await run(folder, 'skipping', ...own, 'run.step.limit=-1');
      assert.match(skipping.text, /a batch with the loss [\d.]+ is not learnt from/);
      assert.ok(!finalModel(skipping.out).equals(finalModel(plain.out)));
      const counted = (out: string, type: string) => events(out).filter((event) => event.type === type).length;
      assert.equal(counted(skipping.out, 'step'), counted(plain.out, 'step'));
    }),
  ).timeout(300_000);

  it(
    'is checked like any node type',
    withFolder(async (folder) => {
      take(folder, 'skip-step.ts', 'skip-step.json');
      const own = ['--with', 'skip-step.json', '--plugin', './skip-step.ts'];
      const wrong = await startPipe(['check', 'quick/swav', ...own, 'run.step.limit=high'], { cwd: folder });
      assert.equal(wrong.code, 2);
      assert.match(wrong.stderr, /run\.step\.limit/);
      const unknown = await startPipe(['check', 'quick/swav', '--with', 'skip-step.json'], { cwd: folder });
      assert.equal(unknown.code, 2);
      assert.match(unknown.stderr, /run\.step: "step\/skip_outliers" is not a node type/);
    }),
  ).timeout(120_000);
});
