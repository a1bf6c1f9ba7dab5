import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import generic from '../../nodes/datasets/generic.ts';
import type { BatchTensor } from '../../runtime/data/slabs.ts';
import { temporaryFolder, writePicture } from './fixtures.ts';
import { type GivenLoader, loaderOf } from './setup.ts';

describe('dataset/generic: several sources side by side', function describeThreads() {
  this.timeout(300_000); // threads start slowly on a busy machine
  const { path, remove } = temporaryFolder();
  const folder = (name: string) => ({ dataset: 'disk_folder', path: join(path, name), default_gray_image_size: 20 });
  const given = (params: Record<string, unknown>, rest: Partial<GivenLoader> = {}): GivenLoader => ({
    dataset: { type: 'dataset/generic', ...params },
    transforms: [{ type: 'transform/resize', size: [8, 8] }, { type: 'transform/to_raw_tensor' }],
    collator: { type: 'collator/identity', batch_size: 4 },
    training: false,
    ...rest,
  });

  before(async () => {
    for (let i = 0; i < 4; i++) {
      await writePicture(join(path, 'rgb', i < 2 ? 'a' : 'b', `${i}.png`), 30, 24, i);
      await writePicture(join(path, 'depth', 'only', `${i}.png`), 16, 16, 100 + i);
    }
    await writePicture(join(path, 'more', 'x', '0.png'), 16, 16, 0);
    mkdirSync(join(path, 'bad', 'y'), { recursive: true });
    for (let i = 0; i < 4; i++) writeFileSync(join(path, 'bad', 'y', `${i}.png`), i === 2 ? 'no picture' : '');
    for (const i of [0, 1, 3]) await writePicture(join(path, 'bad', 'y', `${i}.png`), 16, 16, i);
  });
  after(remove);

  for (const workers of [0, 1]) {
    it(`gives a view per source and the first one's label, with ${workers} workers`, async () => {
      const alone: number[][][] = [];
      for (const name of ['rgb', 'depth']) {
        const { dataset: _, ...params } = folder(name);
        const one = await loaderOf({ ...given({}), dataset: { type: 'dataset/disk_folder', ...params } });
        for await (const { arrays, release } of one.batches(0)) {
          alone.push((arrays.images as BatchTensor[]).map(({ data }) => Array.from(data)));
          release();
        }
        await one.dispose();
      }
      const loader = await loaderOf(given({ sources: [folder('rgb'), folder('depth')] }, { workers }));
      for await (const { arrays, release } of loader.batches(0)) {
        const images = (arrays.images as BatchTensor[]).map(({ data }) => Array.from(data));
        assert.deepEqual(images, [alone[0][0], alone[1][0]]);
        assert.deepEqual(Array.from((arrays.label as BatchTensor).data), [0, 0, 1, 1]);
        release();
      }
      await loader.dispose();
    });

    it(`marks a sample bad when one picture is, with ${workers} workers`, async () => {
      const loader = await loaderOf(given({ sources: [folder('rgb'), folder('bad')] }, { workers }));
      for await (const { arrays, bad, release } of loader.batches(0)) {
        assert.equal(bad, 1);
        assert.deepEqual(Array.from((arrays.valid as BatchTensor).data), [1, 1, 0, 1]);
        for (const { data } of arrays.images as BatchTensor[]) {
          assert.ok(data.subarray(2 * 192, 3 * 192).every((value: number) => value === 128));
        }
        release();
      }
      await loader.dispose();
    });
  }

  it('gives the labels of all sources when asked, and limits transforms to some', async () => {
    const loader = await loaderOf({
      ...given({ sources: [folder('rgb'), folder('depth')], labels: 'all' }),
      transforms: [
        { type: 'transform/resize', size: [8, 8] },
        { type: 'transform/random_solarize', p: 1, threshold: [0, 0], indices: [1] },
        { type: 'transform/to_raw_tensor' },
      ],
    });
    for await (const { arrays, release } of loader.batches(0)) {
      assert.deepEqual((arrays.label as BatchTensor).shape, [4, 2]);
      assert.deepEqual(Array.from((arrays.label as BatchTensor).data), [0, 0, 0, 0, 1, 0, 1, 0]);
      release();
    }
    await loader.dispose();
  });

  it('refuses sources that are shorter than the first, and names them', async () => {
    await assert.rejects(
      loaderOf(given({ sources: [folder('rgb'), folder('more')] })),
      /source 1 has 1 samples, and source 0 has 4/,
    );
    const nested = async () => [{ at: 'path', message: 'there is no folder x' }];
    const params = { sources: [folder('rgb')], labels: 'first' as const };
    assert.deepEqual(await generic.check?.({ params, name: 'images', nested }), [
      { at: 'sources.0.path', message: 'there is no folder x' },
    ]);
  });
});
