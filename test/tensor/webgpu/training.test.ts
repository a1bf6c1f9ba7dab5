/** A pipeline on webgpu trains as it does on wasm. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { startPipeline } from '../../../runtime/pipeline/start.ts';
import { withFolder } from '../../engine/fixtures/graph.ts';
import { withBackend } from '../availability.ts';

const STEPS = 3;
const overrides = [
  ...['train_images=12', 'test_images=4', 'batch_size=4', 'epochs=1', 'run.evaluate=[]'],
  ...['size=16', 'size_crops=[16]', 'crop_scales=[[0.3,1]]', 'prototypes=[8]'],
];

async function losses(device: string, out: string): Promise<number[]> {
  const found: number[] = [];
  const run = startPipeline({ extends: 'quick/swav', hooks: [] }, { out, device, workers: 0, overrides });
  run.events.subscribe((event) => {
    if (event.type === 'step') found.push(event.loss!);
  });
  const { status } = await run.finished;
  assert.equal(status, 'done');
  return found;
}

withBackend('webgpu', 'training on webgpu', () => {
  it('three steps of quick/swav give the losses of wasm', async function () {
    this.timeout(1_200_000); // a software adapter compiles some hundred shaders
    await withFolder(async (folder) => {
      const want = await losses('wasm', join(folder, 'wasm'));
      const got = await losses('webgpu', join(folder, 'webgpu'));
      assert.equal(want.length, STEPS);
      // rounding grows from step to step: batch norm over few values
      got.forEach((loss, i) => {
        assert.ok(Math.abs(loss - want[i]) < 1e-3 * want[i], `step ${i + 1}: ${loss}, on wasm ${want[i]}`);
      });
      assert.equal(got.length, STEPS);
      assert.ok(Math.abs(got[0] - want[0]) < 1e-6 * want[0], `the first loss: ${got[0]}, on wasm ${want[0]}`);
    });
  });
});
