import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { BatchTensor } from '../../runtime/data/slabs.ts';
import { type Given, loaderOf, locate, SWAV, use } from './setup.ts';

describe('the compiled package', function describeThreads() {
  this.timeout(300_000); // threads start slowly on a busy machine

  it('loads in threads, and gives the bytes that the sources give', async () => {
    assert.ok(existsSync(new URL('../../dist/runtime/data/worker.js', import.meta.url)), 'run `npm run build` first');
    const given: Given[] = [
      { type: 'dataset/shapes', length: 70, size: 32 },
      ...SWAV,
      { type: 'collator/multicrop', batch_size: 32 },
    ];
    const types = await locate(given.map(({ type }) => type));
    const uses = given.map((one) => use(types, one));
    const program = fileURLToPath(new URL('./programs/compiled.mjs', import.meta.url));
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, JSON.stringify(uses)], {
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);

    const [dataset, ...rest] = given;
    const collator = rest.pop()!;
    const loader = await loaderOf({ dataset, transforms: rest, collator });
    const hash = createHash('sha256');
    for await (const { arrays, release } of loader.batches(0)) {
      for (const { data } of Object.values(arrays).flat() as BatchTensor[]) {
        hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      }
      release();
    }
    await loader.dispose();
    assert.equal(stdout, hash.digest('hex'));
  });
});
