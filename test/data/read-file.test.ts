import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createFileReader } from '../../runtime/data/read-file.ts';
import { temporaryFolder } from './fixtures.ts';

/** Whether bytes came at once: promises that wait for the system do not settle while only microtasks run. */
async function cameAtOnce(reading: Promise<Uint8Array>): Promise<boolean> {
  let settled = false;
  const done = reading.then(
    () => {
      settled = true;
    },
    () => {
      settled = true;
    },
  );
  for (let i = 0; i < 10; i++) await null;
  const atOnce = settled;
  await done;
  return atOnce;
}

describe('reading picture files', () => {
  const folder = temporaryFolder();
  const file = join(folder.path, 'a.png');
  before(() => writeFile(file, 'content'));
  after(folder.remove);

  it('reads at once from a quick disk', async () => {
    const read = createFileReader(() => 0);
    for (let i = 0; i < 3; i++) assert.ok(await cameAtOnce(read(file)));
    assert.equal(Buffer.from(await read(file)).toString(), 'content');
  });

  it('waits for a slow disk without holding up the thread, and looks again ever more seldom', async () => {
    let time = 0;
    let each = 2; // ms
    const read = createFileReader(() => {
      time += each;
      return time;
    });
    const until = async (): Promise<number> => {
      let promised = 0;
      while (!(await cameAtOnce(read(file)))) promised += 1;
      return promised;
    };
    assert.ok(await cameAtOnce(read(file)), 'slow, as it turns out');
    assert.equal(Buffer.from(await read(file)).toString(), 'content');
    const waits = [1 + (await until()), await until(), await until()];
    for (let i = 0; i < 5; i++) waits.push(await until());
    assert.deepEqual(waits, [4, 8, 16, 32, 64, 128, 256, 256]);
    each = 0.25;
    await until();
    for (let i = 0; i < 5; i++) assert.equal(await until(), 0, 'quick again');
    each = 2;
    await until();
    assert.equal(await until(), 4);
  });

  it('fails alike in both ways', async () => {
    let each = 0;
    let time = 0;
    const read = createFileReader(() => {
      time += each;
      return time;
    });
    const codeOf = (reading: Promise<Uint8Array>): Promise<string> =>
      reading.then(
        () => 'it was read',
        ({ code }) => code,
      );
    const bad = [join(folder.path, 'missing.png'), folder.path, `${file}/below`, `${file}\0`];
    for (const path of bad) assert.equal(await codeOf(read(path)), await codeOf(readFile(path)));
    each = 2;
    await read(file);
    for (const path of bad) assert.equal(await codeOf(read(path)), await codeOf(readFile(path)));
  });
});
