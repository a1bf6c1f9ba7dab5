import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Batch } from '../../runtime/data/batch.ts';
import type { BatchTensor } from '../../runtime/data/slabs.ts';
import type { GraphEvent } from '../../runtime/events.ts';
import { temporaryFolder, writePicture } from './fixtures.ts';
import { writeMutants } from './mutants.ts';
import { type GivenLoader, loaderOf, SWAV } from './setup.ts';

const tensors = (batch: Batch) => Object.values(batch.arrays).flat() as BatchTensor[];

function digest(batch: Batch): string {
  const hash = createHash('sha256');
  for (const { data } of tensors(batch)) hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return hash.digest('hex');
}

describe('damaged files', function describeThreads() {
  this.timeout(300_000); // threads start slowly on a busy machine

  const { path, remove } = temporaryFolder();
  const COUNT = 350;
  before(() => writeMutants(path, COUNT, 1));
  after(remove);

  for (const workers of [0, 1]) {
    it(`never stop a pass, touch no other batch, and are gray or whole, with ${workers} workers`, async () => {
      const events: GraphEvent[] = [];
      const loader = await loaderOf({
        dataset: { type: 'dataset/disk_folder', path, default_gray_image_size: 48, pixel_limit: 1_000_000 },
        transforms: [{ type: 'transform/resize', size: [32, 32] }, { type: 'transform/to_raw_tensor' }],
        collator: { type: 'collator/default', batch_size: 35 },
        training: false,
        workers,
        onEvent: (event) => events.push(event),
      });
      let held: { batch: Batch; digest: string } | undefined;
      let bad = 0;
      const seen: number[] = [];
      for await (const batch of loader.batches(0)) {
        const [images, index, valid] = ['images', 'index', 'valid'].map((port) => batch.arrays[port] as BatchTensor);
        for (let row = 0; row < batch.rows; row++) {
          const values = images.data.subarray(row * 3072, (row + 1) * 3072);
          assert.ok(values.every((value) => value >= 0 && value <= 255));
          seen.push(index.data[row]);
          if (valid.data[row] === 1) continue;
          bad++;
          assert.ok(values.every((value) => value === 128));
        }
        if (held) {
          assert.equal(digest(held.batch), held.digest, 'a batch in use changed');
          batch.release();
        } else held = { batch, digest: digest(batch) };
      }
      assert.deepEqual(
        seen,
        Array.from({ length: COUNT }, (_, i) => i),
      );
      assert.equal(events.filter(({ type }) => type === 'bad_sample').length, bad);
      assert.ok(bad > COUNT / 5 && bad < COUNT * 0.9, `${bad} of ${COUNT} files are bad`);
      await loader.dispose();
    });
  }
});

describe('memory', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const used = () => {
    collect();
    collect();
    const { heapUsed, external, arrayBuffers } = process.memoryUsage();
    return heapUsed + external + arrayBuffers;
  };

  it('stays as it is, epoch after epoch', async () => {
    const { path, remove } = temporaryFolder();
    for (let i = 0; i < 24; i++) await writePicture(join(path, `${i}.jpg`), 260, 200, i);
    const given: GivenLoader = {
      dataset: { type: 'dataset/disk_folder', path },
      transforms: SWAV,
      collator: { type: 'collator/multicrop', batch_size: 8 },
      cacheBytes: 1 << 20,
    };
    const loader = await loaderOf(given);
    const run = async (epoch: number) => {
      let bytes = 0;
      for await (const batch of loader.batches(epoch)) {
        bytes = tensors(batch)[0].data.buffer.byteLength;
        batch.release();
      }
      return bytes;
    };
    let shared = 0;
    for (let epoch = 0; epoch < 3; epoch++) shared = await run(epoch);
    const before = used();
    for (let epoch = 3; epoch < 15; epoch++) assert.equal(await run(epoch), shared, 'the shared memory grew');
    const grown = used() - before;
    // one picture in fifteen kept would be more
    assert.ok(grown < 3_000_000, `${grown} bytes more after 288 pictures of 156,000 bytes`);
    await loader.dispose();
    await remove();
  });
});
