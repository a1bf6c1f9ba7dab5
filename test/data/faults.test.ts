import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Batch } from '../../runtime/data/batch.ts';
import type { Loader } from '../../runtime/data/loader.ts';
import type { BatchTensor } from '../../runtime/data/slabs.ts';
import type { GraphEvent } from '../../runtime/events.ts';
import { temporaryFolder, writePicture } from './fixtures.ts';
import { type GivenLoader, loaderOf } from './setup.ts';

const modules = {
  'dataset/deadly': new URL('./nodes/deadly.ts', import.meta.url).href,
  'dataset/broken': new URL('./nodes/broken.ts', import.meta.url).href,
};
const deadly: GivenLoader = {
  modules,
  dataset: { type: 'dataset/deadly' },
  transforms: [{ type: 'transform/to_raw_tensor' }],
  collator: { type: 'collator/default', batch_size: 16 },
  workers: 2,
  training: false,
};

interface Row {
  readonly index: number;
  readonly label: number;
  readonly valid: number;
  /** first value of the image */
  readonly value: number;
}

function rowsOf(batch: Batch): Row[] {
  const [images, label, index, valid] = ['images', 'label', 'index', 'valid'].map(
    (port) => batch.arrays[port] as BatchTensor,
  );
  const size = images.data.length / images.shape[0];
  return Array.from({ length: batch.rows }, (_, row) => ({
    index: index.data[row],
    label: label.data[row],
    valid: valid.data[row],
    value: images.data[row * size],
  }));
}

async function all(loader: Loader): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const batch of loader.batches(0)) {
    rows.push(...rowsOf(batch));
    batch.release();
  }
  return rows;
}

describe('bad pictures', function describeThreads() {
  this.timeout(300_000); // threads start slowly on a busy machine

  const { path, remove } = temporaryFolder();
  const events: GraphEvent[] = [];
  const given: GivenLoader = {
    dataset: { type: 'dataset/disk_folder', path, default_gray_image_size: 40 },
    transforms: [{ type: 'transform/resize', size: [24, 24] }, { type: 'transform/to_raw_tensor' }],
    collator: { type: 'collator/default', batch_size: 6 },
    training: false,
    onEvent: (event) => events.push(event),
  };
  const badEvents = () => events.filter((event) => event.type === 'bad_sample');

  before(async () => {
    for (let i = 0; i < 20; i++) await writePicture(join(path, 'a', `${String(i).padStart(2, '0')}.jpg`), 50, 40, i);
    const good = await writePicture(join(path, 'b', '00.png'), 30, 30, 99);
    writeFileSync(join(path, 'a', '03.jpg'), '');
    writeFileSync(join(path, 'a', '07.jpg'), 'this is no picture');
    writeFileSync(join(path, 'b', '01.png'), good.subarray(0, 200));
    mkdirSync(join(path, 'b', '02.png')); // a folder that is named like a picture has no pictures
  });
  after(remove);

  for (const workers of [0, 2]) {
    it(`become gray ones, marked, counted and named, with ${workers} workers`, async () => {
      events.length = 0;
      const loader = await loaderOf({ ...given, workers });
      const rows = await all(loader);
      assert.equal(rows.length, 22);
      const bad = rows.filter(({ valid }) => valid === 0);
      assert.deepEqual(
        bad.map(({ index, value, label }) => [index, value, label]),
        [
          [3, 128, 0],
          [7, 128, 0],
          [21, 128, 1],
        ],
      );
      assert.deepEqual(
        badEvents().map((event) => event.type === 'bad_sample' && [event.dataset, event.index, event.path]),
        [
          ['disk_folder', 3, 'a/03.jpg'],
          ['disk_folder', 7, 'a/07.jpg'],
          ['disk_folder', 21, 'b/01.png'],
        ],
      );
      for (const event of badEvents())
        assert.match(event.type === 'bad_sample' ? event.reason : '', /cannot decode (a|b)\/0/);
      assert.equal(loader.stats().bad, 3);
      await loader.dispose();
    });
  }

  it('are replaced by earlier ones where the dataset says so, none twice', async () => {
    const dataset = { ...given.dataset, on_bad: 'queue' };
    const loader = await loaderOf({
      ...given,
      dataset,
      workers: 1,
      collator: { type: 'collator/default', batch_size: 2 },
    });
    const rows = await all(loader);
    const stand = rows.filter(({ index }) => [3, 7, 21].includes(index));
    assert.deepEqual(
      stand.map(({ valid }) => valid),
      [1, 1, 1],
    );
    const values = (index: number) => rows.filter((row) => row.index === index).map(({ value }) => value);
    // the first two pictures that were read, in the order in which they were read
    assert.deepEqual(values(3), values(0));
    assert.deepEqual(values(7), values(1));
    assert.equal(loader.stats().bad, 3);
    await loader.dispose();
  });

  it('include those that a transform cannot take', async () => {
    const transforms = [{ type: 'transform/random_crop', size: 35 }, { type: 'transform/to_raw_tensor' }];
    const loader = await loaderOf({ ...given, transforms });
    events.length = 0;
    const bad = (await all(loader)).filter(({ valid }) => valid === 0);
    assert.deepEqual(
      bad.map(({ index }) => index),
      [3, 7, 20, 21],
    );
    const small = badEvents().find((event) => event.type === 'bad_sample' && event.index === 20);
    assert.match(
      small?.type === 'bad_sample' ? small.reason : '',
      /random_crop.*30×30, smaller than 35×35: set pad_if_needed/,
    );
    await loader.dispose();
  });

  it('end the run when the gray picture does not pass either', async () => {
    const transforms = [{ type: 'transform/random_crop', size: 45 }, { type: 'transform/to_raw_tensor' }];
    for (const workers of [0, 1]) {
      const loader = await loaderOf({ ...given, transforms, workers });
      await assert.rejects(all(loader), /random_crop.*40×40, smaller than 45×45.*stands in for a bad one: a\/00\.jpg/);
      await loader.dispose();
    }
  });
});

describe('threads that die', function describeThreads() {
  this.timeout(300_000); // threads start slowly on a busy machine

  it('are replaced, and their samples are made again: none lost, none twice', async () => {
    const { path, remove } = temporaryFolder();
    const events: GraphEvent[] = [];
    const dataset = { type: 'dataset/deadly', once: join(path, 'died') };
    const loader = await loaderOf({ ...deadly, dataset, onEvent: (event) => events.push(event) });
    const rows = await all(loader);
    assert.deepEqual(
      rows,
      Array.from({ length: 60 }, (_, i) => ({ index: i, label: i, valid: 1, value: i })),
    );
    const notices = events.filter((event) => event.type === 'notice');
    assert.equal(notices.length, 1);
    assert.match(notices[0].type === 'notice' ? notices[0].message : '', /ended \(exit code 7\)/);
    assert.equal(loader.stats().images, 60);
    await loader.dispose();
    await remove();
  });

  it('three times over one image make it a bad one, and spare its neighbours', async () => {
    const events: GraphEvent[] = [];
    const dataset = { type: 'dataset/deadly', always: [21, 40] };
    const loader = await loaderOf({ ...deadly, dataset, onEvent: (event) => events.push(event) });
    const rows = await all(loader);
    for (const { index, valid, value } of rows) {
      const lost = index === 21 || index === 40;
      assert.deepEqual([valid, value], lost ? [0, 128] : [1, index]);
    }
    assert.equal(rows.length, 60);
    const bad = events.filter((event) => event.type === 'bad_sample');
    assert.deepEqual(
      bad.map((event) => event.type === 'bad_sample' && event.index),
      [21, 40],
    );
    await loader.dispose();
  });

  it('before they are ready end the run, with the reason', async () => {
    const broken = await loaderOf({ ...deadly, dataset: { type: 'dataset/broken' } });
    await assert.rejects(all(broken), /the disk is gone/);
    await broken.dispose();
    const dying = await loaderOf({ ...deadly, dataset: { type: 'dataset/broken', dies: true } });
    await assert.rejects(all(dying), /could not start: exit code 3/);
    await dying.dispose();
  });
});

describe('stopping', function describeThreads() {
  this.timeout(300_000); // threads start slowly on a busy machine

  const long: GivenLoader = {
    dataset: { type: 'dataset/shapes', length: 5000, size: 32 },
    transforms: [{ type: 'transform/to_tensor' }],
    collator: { type: 'collator/default', batch_size: 50 },
  };

  for (const workers of [0, 2]) {
    it(`by a signal ends the pass with its reason; the next pass is whole, with ${workers} workers`, async () => {
      let images = 0;
      const loader = await loaderOf({ ...long, workers, onTask: (task) => (images += task.images) });
      const stop = new AbortController();
      const seen: number[] = [];
      const run = async () => {
        for await (const batch of loader.batches(0, 0, stop.signal)) {
          seen.push(batch.step);
          batch.release();
          if (batch.step === 2) stop.abort(new Error('enough'));
        }
      };
      await assert.rejects(run(), /enough/);
      assert.deepEqual(seen, [0, 1, 2]);
      assert.ok(images < 5000 / 2, 'what no one takes is not loaded');
      await assert.rejects(loader.batches(0, 0, stop.signal).next(), /enough/);
      const next: number[] = [];
      for await (const batch of loader.batches(1, 97)) {
        next.push(batch.step);
        batch.release();
      }
      assert.deepEqual(next, [97, 98, 99]);
      await loader.dispose();
      await assert.rejects(loader.batches(0).next(), /was disposed/);
    });
  }

  it('while a batch is awaited does not wait for it', async () => {
    const loader = await loaderOf({ ...long, workers: 1 });
    const stop = new AbortController();
    const first = loader.batches(0, 0, stop.signal).next();
    stop.abort(new Error('now'));
    await assert.rejects(first, /now/);
    await loader.dispose();
  });

  it('leaves nothing that keeps a process alive, even when nobody disposes', async () => {
    for (const dispose of ['true', 'false']) {
      const program = fileURLToPath(new URL('./programs/one-batch.ts', import.meta.url));
      const child = spawn(process.execPath, ['--import=tsx', program, dispose], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let output = '';
      child.stdout.on('data', (data) => (output += data));
      const code = await new Promise((resolve) => child.once('exit', resolve));
      assert.deepEqual([code, output], [0, 'step 0\n']);
    }
  });
});
