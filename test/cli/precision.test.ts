import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withTorch } from '../tensor/torch/support.ts';
import { pipe, tiny, withFolder } from './support.ts';

describe('a precision that the device does not have', () => {
  it(
    'is a mistake of the document: told at its place by check and by run, with exit code 2, before anything is written',
    withFolder(async (folder) => {
      const file = join(folder, 'low.json');
      writeFileSync(file, '{\n  "extends": "quick/swav",\n  "run": { "precision": "bfloat16", "device": "wasm" }\n}\n');
      const check = await pipe('check', file);
      assert.equal(check.code, 2, check.stderr);
      assert.match(
        check.stderr,
        /low\.json:3:25 {2}run\.precision: the device wasm computes in float32 only, not in bfloat16\. Use "precision": "float32", or the device torch/,
      );
      const out = join(folder, 'out');
      const run = await pipe('run', file, '--device', 'cpu', '--out', out);
      assert.equal(run.code, 2, run.stderr);
      assert.match(run.stderr, /low\.json:3:25 {2}run\.precision: the device cpu computes in float32 only/);
      assert.ok(!existsSync(out));
    }),
  );
});

withTorch('pipe run in bfloat16', () => {
  it(
    'trains and evaluates on torch, near the losses of float32',
    withFolder(async (folder) => {
      const steps = async (precision: string) => {
        const out = join(folder, precision);
        const args = ['run', ...tiny, `run.precision=${precision}`, 'lr=0.05', '--device', 'torch', '--workers', '0'];
        const { code, stdout, stderr } = await pipe(...args, '--out', out, '--json');
        assert.equal(code, 0, stderr);
        const { status, metrics } = JSON.parse(stdout);
        assert.equal(status, 'done');
        assert.ok(Number.isFinite(metrics['knn.top1'] ?? Object.values(metrics)[0]), stdout);
        const lines = readFileSync(join(out, 'steps.jsonl'), 'utf8').trim().split('\n');
        return lines.map((line) => JSON.parse(line).loss as number);
      };
      const [full, low] = [await steps('float32'), await steps('bfloat16')];
      assert.equal(low.length, 3);
      assert.notDeepEqual(low, full);
      for (const [i, loss] of low.entries())
        assert.ok(Math.abs(loss - full[i]) < 0.1, `${loss}, in float32 ${full[i]}`);
    }),
  ).timeout(180_000);
});
