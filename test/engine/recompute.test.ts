import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startPipeline } from '../../runtime/pipeline/start.ts';
import { withFolder } from './fixtures/graph.ts';

/** Two steps of a pipeline that ships, small; the tensors of its checkpoint. */
async function trained(pipeline: string, out: string, changes: readonly string[], more: object = {}): Promise<Buffer> {
  const { finished } = startPipeline(
    { extends: pipeline, hooks: [], ...more },
    {
      out,
      device: 'wasm',
      workers: 0,
      overrides: ['train_images=16', 'test_images=8', 'batch_size=8', 'epochs=1', 'run.evaluate=[]', ...changes],
    },
  );
  const { checkpoint, iteration } = await finished;
  assert.equal(iteration, 2);
  return readFile(join(checkpoint!, 'model.safetensors'));
}

describe('activation checkpointing in a run', () => {
  for (const [name, pipeline, changes] of [
    ['crops of two sizes', 'quick/swav', ['num_crops=[2,2]', 'size_crops=[32,16]', 'crop_scales=[[0.6,1],[0.2,0.6]]']],
    ['a momentum branch', 'quick/moco', []],
  ] as const) {
    it(`trains the same weights and statistics, with ${name}`, () =>
      withFolder(async (folder) => {
        const plain = await trained(pipeline, join(folder, 'plain'), changes);
        const dropped = await trained(pipeline, join(folder, 'dropped'), [
          ...changes,
          'nodes.trunk.activation_checkpointing=4',
        ]);
        assert.ok(plain.equals(dropped));
      })).timeout(120_000);
  }

  it('may change between a run and its resume', () =>
    withFolder(async (folder) => {
      const { finished } = startPipeline(
        { extends: 'quick/swav', hooks: [] },
        {
          out: folder,
          device: 'wasm',
          workers: 0,
          overrides: ['train_images=16', 'batch_size=8', 'epochs=1', 'run.evaluate=[]'],
        },
      );
      await finished;
      const more = startPipeline(
        { extends: 'quick/swav', hooks: [] },
        {
          out: folder,
          device: 'wasm',
          workers: 0,
          overrides: [
            'train_images=16',
            'batch_size=8',
            'epochs=2',
            'run.evaluate=[]',
            'nodes.trunk.activation_checkpointing=2',
          ],
        },
      );
      assert.equal((await more.finished).iteration, 4);
    })).timeout(120_000);
});
