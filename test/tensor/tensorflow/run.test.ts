import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipe, tiny, withFolder } from '../../cli/support.ts';
import { withBackend } from '../availability.ts';
import { near } from '../support.ts';

withBackend('tensorflow', 'a run on tensorflow', () => {
  it(
    'has the losses of the run on wasm',
    withFolder(async (folder) => {
      const losses = async (device: string): Promise<number[]> => {
        const out = join(folder, device);
        const { code, stderr } = await pipe('run', ...tiny, '--device', device, '--out', out);
        assert.equal(code, 0, stderr);
        const lines = readFileSync(join(out, 'steps.jsonl'), 'utf8').trim().split('\n');
        return lines.map((line) => (JSON.parse(line) as { loss: number }).loss);
      };
      const reference = await losses('wasm');
      assert.equal(reference.length, 3);
      near(await losses('tensorflow'), reference, 1e-3, 'losses');
    }),
  ).timeout(180_000);
});
