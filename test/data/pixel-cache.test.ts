import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cachedPixels, createPixelCache, keepPixels } from '../../runtime/data/pixel-cache.ts';
import { temporaryFolder, writePicture } from './fixtures.ts';
import { loaderOf } from './setup.ts';

const picture = (side: number, value: number) => ({
  pixels: new Uint8Array(side * side * 3).fill(value),
  width: side,
  height: side,
  channels: 3,
});

describe('the cache of decoded pixels', function describeThreads() {
  this.timeout(300_000); // threads start slowly on a busy machine

  it('keeps small pictures while there is room, and knows each by its index', () => {
    const cache = createPixelCache(100, 100 * 1024)!;
    for (let i = 0; i < 100; i++) keepPixels(cache, i, picture(20, i));
    const kept = Array.from({ length: 100 }, (_, i) => cachedPixels(cache, i));
    const count = kept.filter((found) => found !== undefined).length;
    assert.equal(count, Math.floor((100 * 1024) / 1216));
    kept.slice(0, count).forEach((found, i) => {
      assert.deepEqual([found?.width, found?.height, found?.channels], [20, 20, 3]);
      assert.ok(found?.pixels.length === 1200 && found.pixels.every((value) => value === i));
    });
  });

  it('does not keep large pictures, nor anything of a dataset that would hardly fit', () => {
    const cache = createPixelCache(10, 10 << 20)!;
    keepPixels(cache, 3, picture(200, 1));
    assert.equal(cachedPixels(cache, 3), undefined);
    assert.equal(createPixelCache(1_000_000, 1 << 20), undefined);
  });

  for (const workers of [0, 2]) {
    it(`spares the decoding of small files after the first epoch, with ${workers} workers`, async () => {
      const { path, remove } = temporaryFolder();
      for (let i = 0; i < 12; i++) await writePicture(join(path, `${i}.png`), 24, 24, i);
      const loader = await loaderOf({
        dataset: { type: 'dataset/disk_folder', path },
        transforms: [{ type: 'transform/center_crop', size: 24 }, { type: 'transform/to_raw_tensor' }],
        collator: { type: 'collator/default', batch_size: 12 },
        training: false,
        workers,
      });
      const epoch = async (n: number) => {
        for await (const { arrays, bad } of loader.batches(n))
          return { bad, values: Array.from((arrays.images as any).data) };
        return undefined;
      };
      const first = await epoch(0);
      for (let i = 0; i < 12; i++) writeFileSync(join(path, `${i}.png`), 'gone');
      assert.deepEqual(await epoch(1), first);
      assert.equal(first?.bad, 0);
      await loader.dispose();
      await remove();
    });
  }
});
