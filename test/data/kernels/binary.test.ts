import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import jpeg from '../../../runtime/data/jpeg/binary.ts';
import binary from '../../../runtime/data/kernels/binary.ts';
import { instantiateKernels } from '../../../runtime/data/kernels/kernels.ts';
import { createPixelMemory } from '../../../runtime/data/pixels/memory.ts';
import png from '../../../runtime/data/png/binary.ts';

const DATA_SECTION = 11;

/** Numbers of the sections of a WebAssembly module. */
function sections(bytes: Uint8Array): number[] {
  const found: number[] = [];
  let at = 8;
  while (at < bytes.length) {
    found.push(bytes[at++]);
    let size = 0;
    for (let shift = 0, more = true; more; shift += 7) {
      size += (bytes[at] & 0x7f) << shift;
      more = bytes[at++] >= 0x80;
    }
    at += size;
  }
  return found;
}

describe('compiled kernels', () => {
  it('are what the sources compile to', async function compileAgain() {
    this.timeout(300_000); // two seconds of work, more on a busy machine
    const { compileKernels, binaryModule } = await import('../../../scripts/build-kernels.js' as string);
    const cure = 'run `node scripts/build-kernels.js`';
    for (const [folder, checkedIn] of Object.entries({ kernels: binary, jpeg, png })) {
      const bytes = await compileKernels(`runtime/data/${folder}`);
      assert.ok(Buffer.from(checkedIn, 'base64').equals(bytes), cure);
      const file = new URL(`../../../runtime/data/${folder}/binary.ts`, import.meta.url);
      assert.equal(readFileSync(file, 'utf8'), binaryModule(bytes), cure);
    }
  });

  it('bring no data of their own, which threads on one memory would write over each other', () => {
    const found = sections(Buffer.from(binary, 'base64'));
    assert.ok(found.includes(10), 'there is code');
    assert.ok(!found.includes(DATA_SECTION));
  });

  it('leave a fresh memory as it is', () => {
    const memory = createPixelMemory({ bytes: 65536 });
    instantiateKernels(memory);
    assert.ok(new Uint8Array(memory.buffer).every((byte) => byte === 0));
  });
});
