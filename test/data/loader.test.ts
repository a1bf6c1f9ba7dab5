import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { Batch } from '../../runtime/data/batch.ts';
import type { Loader } from '../../runtime/data/loader.ts';
import type { BatchTensor } from '../../runtime/data/slabs.ts';
import type { GraphEvent } from '../../runtime/events.ts';
import { type GivenLoader, loaderOf, SWAV } from './setup.ts';

const shapes: GivenLoader = {
  dataset: { type: 'dataset/shapes', length: 150, size: 32 },
  transforms: SWAV,
  collator: { type: 'collator/multicrop', batch_size: 32 },
};

const plain: GivenLoader = {
  dataset: { type: 'dataset/shapes', length: 50, size: 8 },
  transforms: [{ type: 'transform/to_tensor' }],
  collator: { type: 'collator/default', batch_size: 8 },
};

const one = (batch: Batch, port: string) => batch.arrays[port] as BatchTensor;
const numbers = (batch: Batch, port: string) => Array.from(one(batch, port).data);

function digest(batch: Batch): string {
  const hash = createHash('sha256');
  for (const { data, shape } of Object.values(batch.arrays).flat() as BatchTensor[]) {
    hash.update(JSON.stringify(shape));
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}

async function collect<R>(loader: Loader, take: (batch: Batch) => R, epoch = 0, startStep = 0): Promise<R[]> {
  const found: R[] = [];
  for await (const batch of loader.batches(epoch, startStep)) {
    found.push(take(batch));
    batch.release();
  }
  return found;
}

/** Makes a loader, uses it, disposes it. */
async function using<R>(given: GivenLoader, work: (loader: Loader) => Promise<R>): Promise<R> {
  const loader = await loaderOf(given);
  try {
    return await work(loader);
  } finally {
    await loader.dispose();
  }
}

describe('loader', function describeThreads() {
  this.timeout(300_000); // threads start slowly on a busy machine

  it('gives others their turn while the rank itself makes many samples', async () => {
    const many: GivenLoader = {
      dataset: { type: 'dataset/shapes', length: 1200, size: 32 },
      transforms: [{ type: 'transform/to_tensor' }],
      collator: { type: 'collator/default', batch_size: 400 },
    };
    await using(many, async (loader) => {
      let turns = 0;
      let ticking: NodeJS.Immediate;
      const tick = () => {
        turns += 1;
        ticking = setImmediate(tick);
      };
      const seen: number[] = [];
      for await (const batch of loader.batches(0)) {
        if (seen.length === 0) tick();
        seen.push(turns);
        batch.release();
      }
      clearImmediate(ticking!);
      assert.ok(seen[2] > 1, `${seen[2]} turns while 800 samples were made`);
    });
  });

  it('gives the same bytes with 0, 1, 2 and 4 workers, any prefetch, and in every epoch others', async () => {
    const variants = [{ workers: 0 }, { workers: 1 }, { workers: 2 }, { workers: 4 }, { workers: 2, prefetch: 1 }];
    const found = [];
    for (const variant of variants) {
      found.push(
        await using({ ...shapes, ...variant }, async (loader) => [
          await collect(loader, digest, 0),
          await collect(loader, digest, 1),
        ]),
      );
    }
    for (const other of found.slice(1)) assert.deepEqual(other, found[0]);
    assert.equal(found[0][0].length, 5);
    assert.equal(new Set(found[0].flat()).size, 10, 'every batch is another');
  });

  for (const workers of [0, 1]) {
    const few: GivenLoader = { ...shapes, dataset: { ...shapes.dataset, length: 40 }, workers };

    it(`pads crops of several sizes into one tensor, with ${workers} workers`, async () => {
      const given = (padded: boolean): GivenLoader => ({
        ...few,
        collator: { ...shapes.collator, create_multidimensional_tensor: padded },
      });
      const plain = await using(given(false), (loader) =>
        collect(loader, ({ arrays }) =>
          (arrays.images as BatchTensor[]).map(({ data, shape }) => ({ data: data.slice(), shape })),
        ),
      );
      await using(given(true), async (loader) => {
        const padded = await collect(loader, (batch) =>
          ['images', 'mask'].map((port) => {
            const { data, shape } = one(batch, port);
            return { data: data.slice(), shape };
          }),
        );
        padded.forEach(([images, mask], step) => {
          const rows = step === 1 ? 8 : 32;
          assert.deepEqual(images.shape, [6 * rows, 32, 32, 3]);
          assert.deepEqual(mask.shape, [6 * rows, 32, 32]);
          const inside: number[] = [];
          mask.data.forEach((outside, pixel) => {
            const values = images.data.subarray(3 * pixel, 3 * pixel + 3);
            if (outside) assert.deepEqual(Array.from(values), [0, 0, 0]);
            else inside.push(...values);
          });
          assert.deepEqual(
            inside,
            plain[step].flatMap(({ data }) => Array.from(data)),
          );
        });
      });
    });

    it(`hands masks of patches on with the large crops, with ${workers} workers`, async () => {
      const masking = {
        type: 'transform/masked_image_modeling',
        patch_size: 4,
        pred_ratio_mean: [0.3],
        pred_ratio_var: [0.1],
      };
      const given: GivenLoader = {
        ...few,
        transforms: [...SWAV, masking],
        collator: { type: 'collator/ibot_multicrop_masking', batch_size: 32 },
      };
      await using(given, async (loader) => {
        const masks = await collect(loader, (batch) => {
          assert.deepEqual(one(batch, 'global_views').shape.slice(1), [32, 32, 3]);
          assert.deepEqual(one(batch, 'local_views').shape.slice(1), [20, 20, 3]);
          assert.deepEqual(one(batch, 'mask').shape, [2 * batch.rows, 8, 8]);
          return numbers(batch, 'mask');
        });
        const all = masks.flat();
        const share = all.reduce((a, b) => a + b) / all.length;
        assert.ok(share > 0.22 && share < 0.32, `${share} of the patches are masked`);
        const again = await collect(loader, (batch) => numbers(batch, 'mask'));
        assert.deepEqual(again, masks);
        assert.notDeepEqual(await collect(loader, (batch) => numbers(batch, 'mask'), 1), masks);
      });
      await using(
        {
          ...given,
          transforms: [
            SWAV[0],
            masking,
            { type: 'transform/center_crop', size: 16, indices: [2, 3, 4, 5] },
            { type: 'transform/to_tensor' },
          ],
        },
        async (loader) => {
          assert.equal((await collect(loader, () => 0)).length, 2);
        },
      );
      await using(
        {
          ...given,
          transforms: [
            SWAV[0],
            masking,
            { type: 'transform/center_crop', size: 24, indices: [0, 1] },
            { type: 'transform/to_tensor' },
          ],
        },
        (loader) =>
          assert.rejects(
            collect(loader, () => 0),
            /has no mask; mask takes 8×8: put transform\/masked_image_modeling last/,
          ),
      );
    });
  }

  it('continues an epoch at any step, in a new loader', async () => {
    const whole = await using(shapes, (loader) => collect(loader, digest, 3));
    for (const startStep of [1, 3, 4, 5]) {
      const rest = await using(shapes, (loader) => collect(loader, digest, 3, startStep));
      assert.deepEqual(rest, whole.slice(startStep));
    }
  });

  it('lays crops of one size side by side and repeats label, index and valid crop-major', async () => {
    await using(shapes, async (loader) => {
      const [batch] = await collect(loader, (batch) => {
        const images = batch.arrays.images as BatchTensor[];
        return {
          shapes: images.map(({ shape }) => shape),
          index: numbers(batch, 'index'),
          label: numbers(batch, 'label'),
          valid: numbers(batch, 'valid'),
          rows: batch.rows,
        };
      });
      assert.deepEqual(batch.shapes, [
        [64, 32, 32, 3],
        [128, 20, 20, 3],
      ]);
      assert.equal(batch.rows, 32);
      const first = batch.index.slice(0, 32);
      assert.equal(new Set(first).size, 32);
      assert.deepEqual(batch.index, Array.from({ length: 6 }, () => first).flat());
      assert.deepEqual(
        batch.label,
        batch.index.map((i) => i % 8),
      );
      assert.ok(batch.valid.every((valid) => valid === 1));
    });
  });

  it('puts every image into an epoch once; the last batch is short, or left out', async () => {
    const rows = (batch: Batch) => numbers(batch, 'index');
    const all = await using(plain, (loader) => collect(loader, rows));
    assert.deepEqual(
      all.map(({ length }) => length),
      [8, 8, 8, 8, 8, 8, 2],
    );
    assert.deepEqual(
      all.flat().sort((a, b) => a - b),
      Array.from({ length: 50 }, (_, i) => i),
    );
    const collator = { ...plain.collator, drop_last: true };
    const full = await using({ ...plain, collator }, (loader) => collect(loader, rows));
    assert.deepEqual(full, all.slice(0, 6));
  });

  it('shuffles when training, keeps the order else, and does as the collator says first', async () => {
    const order = async (training: boolean, shuffle?: boolean) => {
      const collator = shuffle === undefined ? plain.collator : { ...plain.collator, shuffle };
      return (await using({ ...plain, training, collator }, (l) => collect(l, (b) => numbers(b, 'index')))).flat();
    };
    const natural = Array.from({ length: 50 }, (_, i) => i);
    assert.notDeepEqual(await order(true), natural);
    assert.deepEqual(await order(false), natural);
    assert.deepEqual(await order(true, false), natural);
    assert.deepEqual(await order(false, true), await order(true));
  });

  it('gives ranks disjoint parts of one order, and each image the same pixels on any rank', async () => {
    const seen = new Map<number, string>();
    const take = (batch: Batch) => {
      const { data, shape } = one(batch, 'images');
      const size = data.length / shape[0];
      return numbers(batch, 'index').map(
        (index, row) => [index, String(data.subarray(row * size, (row + 1) * size))] as const,
      );
    };
    const given: GivenLoader = {
      ...plain,
      transforms: [{ type: 'transform/random_resized_crop', size: 6 }, { type: 'transform/to_tensor' }],
    };
    for (const [index, pixels] of (await using(given, (loader) => collect(loader, take))).flat())
      seen.set(index, pixels);
    for (const sampler of ['distributed', 'stateful']) {
      const parts = [];
      for (const rank of [0, 1, 2]) {
        const collator = { ...given.collator, sampler };
        parts.push((await using({ ...given, collator, rank, ranks: 3 }, (loader) => collect(loader, take))).flat());
      }
      const indices = parts.flat().map(([index]) => index);
      assert.equal(indices.length, sampler === 'distributed' ? 51 : 48);
      assert.equal(new Set(indices).size, sampler === 'distributed' ? 50 : 48);
      for (const [index, pixels] of parts.flat()) assert.equal(pixels, seen.get(index));
    }
  });

  it('holds no more batches than it may, and waits for the ones in use', async () => {
    const started: number[] = [];
    const loader = await loaderOf({ ...plain, prefetch: 2, onTask: () => started.push(performance.now()) });
    const pass = loader.batches(0);
    const held = [(await pass.next()).value, (await pass.next()).value, (await pass.next()).value] as Batch[];
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(started.length, 3, 'nothing is loaded that has no place');
    await assert.rejects(pass.next(), /all 3 batches are held; release them first/);
    assert.deepEqual(
      held.map(({ step }) => step),
      [0, 1, 2],
    );
    await loader.dispose();
  });

  it('loads nothing that no one takes', async () => {
    let images = 0;
    await using({ ...plain, prefetch: 2, onTask: (task) => (images += task.images) }, async (loader) => {
      for await (const batch of loader.batches(0, 4)) batch.release();
      assert.equal(images, 8 + 8 + 2);
    });
  });

  it('goes on while the rank computes and answers no one', async () => {
    const reads = new Int32Array(new SharedArrayBuffer(4));
    const modules = { 'dataset/counting': new URL('./nodes/counting.ts', import.meta.url).href };
    const dataset = { type: 'dataset/counting' };
    const collator = { type: 'collator/default', batch_size: 64 };
    const given = {
      ...plain,
      modules,
      dataset,
      collator,
      index: { length: 200, data: reads },
      workers: 1,
      prefetch: 2,
    };
    await using(given, async (loader) => {
      const pass = loader.batches(0);
      const batch = (await pass.next()).value as Batch;
      batch.release(); // now the rest of the epoch has room: 200 images in four batches
      const deadline = performance.now() + 50_000;
      while (Atomics.load(reads, 0) < 200 && performance.now() < deadline) Atomics.wait(reads, 0, -1, 10);
      assert.equal(Atomics.load(reads, 0), 200);
      await pass.return();
    });
  });

  it('reports waits and counts', async () => {
    const events: GraphEvent[] = [];
    await using({ ...plain, workers: 1, onEvent: (event) => events.push(event) }, async (loader) => {
      await collect(loader, () => 0);
      assert.equal(events.length, 7);
      for (const event of events) assert.ok(event.type === 'wait' && event.on === 'batch' && event.end >= event.start);
      const { images, batches, bad, waited, transform } = loader.stats();
      assert.deepEqual([images, batches, bad], [50, 7, 0]);
      assert.ok(waited > 0 && transform > 0);
    });
  });

  it('refuses a second pass while one is under way', async () => {
    await using(plain, async (loader) => {
      const pass = loader.batches(0);
      await pass.next();
      await assert.rejects(loader.batches(0).next(), /a pass is under way/);
      await pass.return();
      assert.equal((await collect(loader, () => 0)).length, 7);
    });
  });

  it('can be parked and goes on with the same bytes', async () => {
    await using({ ...shapes, workers: 2 }, async (loader) => {
      const before = await collect(loader, digest);
      await loader.park();
      assert.deepEqual(await collect(loader, digest), before);
    });
  });

  it('names the node and the reason when samples do not fit the batch', async () => {
    const transforms = [{ type: 'transform/resize', size: 6 }, { type: 'transform/to_tensor' }];
    const given = { ...plain, dataset: { type: 'dataset/synthetic', size: 8, length: 4 } };
    const classless = await loaderOf({ ...given, transforms });
    assert.deepEqual(await collect(classless, (batch) => numbers(batch, 'label')), [[-1, -1, -1, -1]]);
    await assert.rejects(
      loaderOf({ ...given, transforms: [] }),
      /default \(collator\/default\): the images are still bytes.*to_tensor/,
    );
    await assert.rejects(
      loaderOf({ ...given, transforms: [{ type: 'transform/replicate' }, ...transforms] }),
      /have 2 views/,
    );
  });
});
