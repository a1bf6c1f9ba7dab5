import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openSafetensors } from '../../runtime/train/safetensors.ts';
import { classifier, withFolder } from '../engine/fixtures/graph.ts';
import { withFloat16 } from '../tensor/torch/support.ts';
import { launch } from './fixtures/launch.ts';

/** Six steps in float16 on two ranks; at the third, the gradients of one of them are not finite. */
const training = (rank: number): object =>
  classifier({
    nodes: { noise: { type: 'test/overflow', at: 2, rank, inputs: { x: 'trunk.features' } } },
    batch: { batch_size: 2 },
    run: { epochs: 1, precision: 'float16' },
  });

withFloat16('the loss scale on several ranks', () => {
  it('all leave a step out where the gradients of one are not finite', async () => {
    await withFolder(async (folder) => {
      const models: Buffer[] = [];
      for (const bad of [0, 1]) {
        const out = join(folder, String(bad));
        const ends = await launch('./train.ts', 2, [out, JSON.stringify(training(bad)), 'torch', '60']);
        for (const { code, stderr } of ends) assert.equal(code, 0, stderr);
        const names = await readdir(join(out, 'checkpoints'));
        const checkpoint = join(out, 'checkpoints', names.find((name) => name.endsWith('-final'))!);
        const { numbers, position } = JSON.parse(await readFile(join(checkpoint, 'manifest.json'), 'utf8'));
        const other = await openSafetensors(join(checkpoint, 'state-rank-1.safetensors'));
        const kept = JSON.parse(other.metadata.kept);
        await other.close();
        assert.equal(position.iteration, 6);
        for (const of of [numbers, kept.numbers]) {
          assert.equal(of['#loss_scale.value'], 32768);
          assert.equal(of['#loss_scale.finite_steps'], 3);
        }
        models.push(await readFile(join(checkpoint, 'model.safetensors')));
      }
      // a rank that had taken the step would have gone on with other weights, and other gradients
      assert.deepEqual(models[0], models[1]);
    });
  }).timeout(180_000);
});
