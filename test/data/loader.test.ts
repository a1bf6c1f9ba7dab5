import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { Batch, Loader } from '../../runtime/data/loader.ts';
import type { BatchTensor } from '../../runtime/data/slabs.ts';
import { type GivenLoader, loaderOf, SWAV } from './setup.ts';

const shapes: GivenLoader = {
  dataset: { type: 'dataset/shapes', length: 150, size: 32 },
  transforms: SWAV,
  collator: { type: 'collator/multicrop', batch_size: 32 },
};

const tensors = (batch: Batch): BatchTensor[] => Object.values(batch.arrays).flat();

function digest(batch: Batch): string {
  const hash = createHash('sha256');
  for (const { data, shape } of tensors(batch)) {
    hash.update(JSON.stringify(shape));
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}

async function digests(loader: Loader, epoch: number, startStep = 0): Promise<string[]> {
  const found: string[] = [];
  for await (const batch of loader.batches(epoch, startStep)) {
    found.push(digest(batch));
    batch.release();
  }
  return found;
}

describe('loader', () => {
  it('gives the same bytes with 0, 1, 2 and 4 workers, in every epoch', async () => {
    const found = [];
    for (const workers of [0, 1, 2, 4]) {
      const loader = await loaderOf({ ...shapes, workers });
      found.push([await digests(loader, 0), await digests(loader, 1)]);
      await loader.dispose();
    }
    for (const other of found.slice(1)) assert.deepEqual(other, found[0]);
    assert.equal(found[0][0].length, 5);
    assert.equal(new Set(found[0].flat()).size, 10);
  });
});
