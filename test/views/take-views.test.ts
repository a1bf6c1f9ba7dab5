import assert from 'node:assert/strict';
import type { BatchTensor } from '../../runtime/data/slabs.ts';
import { pictureOf } from '../../runtime/views/picture-of.ts';
import { takeViews, type ViewsOptions } from '../../runtime/views/take-views.ts';
import { type Given, loaderOf, locate, SWAV, scan, use } from '../data/setup.ts';

const COLLATOR: Given = { type: 'collator/multicrop', name: 'batch', batch_size: 16 };
const SHAPES: Given = { type: 'dataset/shapes', length: 40, size: 32 };

async function viewsOf(dataset: Given, transforms: readonly Given[], options: Partial<ViewsOptions> = {}) {
  const types = await locate([dataset, ...transforms, COLLATOR].map(({ type }) => type));
  const images = use(types, dataset);
  return takeViews({
    dataset: images,
    index: await scan(types, images),
    transforms: transforms.map((transform) => use(types, transform)),
    collator: use(types, COLLATOR),
    types,
    seed: 3,
    epoch: 1,
    training: true,
    images: 5,
    signal: new AbortController().signal,
    ...options,
  });
}

describe('views for figures', () => {
  it("are those of the run's first batch, byte for byte, before they are normalised", async () => {
    const taken = await viewsOf(SHAPES, SWAV);
    const loader = await loaderOf({ dataset: SHAPES, transforms: SWAV, collator: COLLATOR, seed: 3, path: ['batch'] });
    const { value: batch } = await loader.batches(1).next();
    const tensors = batch!.arrays.images as readonly BatchTensor[];
    const mean = [0.485, 0.456, 0.406];
    const std = [0.229, 0.224, 0.225];
    let compared = 0;
    taken.samples.forEach(({ views }, row) => {
      for (const [position, { pixels, width, height }] of views.entries()) {
        const [group, crop] = position < 2 ? [0, position] : [1, position - 2];
        const first = (crop * 16 + row) * width * height * 3;
        for (const [i, byte] of pixels.entries()) {
          const want = tensors[group].data[first + i];
          assert(Math.abs((byte / 255 - mean[i % 3]) / std[i % 3] - want) < 1e-5);
          compared++;
        }
      }
    });
    assert.equal(compared, 5 * 3 * (2 * 32 * 32 + 4 * 20 * 20));
    assert.deepEqual(taken.sizes, [[32, 32], [32, 32], [20, 20], [20, 20], [20, 20], [20, 20]]); // biome-ignore format: a table
    assert.equal(taken.stretched, false);
    batch!.release();
    await loader.dispose();
  });

  it('come with the picture they are taken from, its name and class', async () => {
    const { samples } = await viewsOf(SHAPES, [{ type: 'transform/to_tensor' }], { training: false, images: 3 });
    assert.deepEqual(
      samples.map(({ name }) => name),
      ['sample 0', 'sample 1', 'sample 2'],
    );
    assert(samples.every(({ label }) => /[a-z]/.test(label)));
    for (const { original, views } of samples) assert.deepEqual(views[0].pixels, original!.pixels);
    assert.equal((await viewsOf(SHAPES, [], { images: 500 })).samples.length, 40, 'no more than there are');
  });

  it('that are numbers are stretched to what can be seen', async () => {
    const { samples, stretched } = await viewsOf(SHAPES, [{ type: 'transform/to_lab' }]);
    assert(stretched);
    for (const { views } of samples) {
      assert.deepEqual([Math.min(...views[0].pixels), Math.max(...views[0].pixels)], [0, 255]);
    }
    const flat = pictureOf({ data: new Float32Array(8).fill(7), shape: [1, 2, 2, 2], dtype: 'float32' }, 0);
    assert.deepEqual([flat.channels, [...flat.pixels]], [1, [0, 0, 0, 0]]);
  });
});
