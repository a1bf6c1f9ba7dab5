/** One file or folder for each row of docs/bad-input.md that no other test has. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import diskFilelist from '../../nodes/datasets/disk_filelist.ts';
import diskFolder from '../../nodes/datasets/disk_folder.ts';
import type { BatchTensor } from '../../runtime/data/slabs.ts';
import type { GraphEvent } from '../../runtime/events.ts';
import { labelsOf, namesOf, open } from '../nodes/datasets/open.ts';
import { picturePixels, temporaryFolder } from './fixtures.ts';
import { npyBytes } from './npy-bytes.ts';
import { loaderOf } from './setup.ts';

const image = (width: number, height: number) =>
  sharp(picturePixels(width, height, 1), { raw: { width, height, channels: 3 } });

/** A PNG whose header says that it is 30,000 × 30,000; there is no data for that. */
async function bomb(): Promise<Buffer> {
  const bytes = await image(8, 8).png().toBuffer();
  bytes.writeUInt32BE(30_000, 16);
  bytes.writeUInt32BE(30_000, 20);
  bytes.writeUInt32BE(crc32(bytes.subarray(12, 29)), 29);
  return bytes;
}

/** By file: whether it is read; else why not. */
const OUTCOMES: Readonly<Record<string, RegExp | 'read'>> = {
  'animated.gif': 'read',
  'bitmap.bmp': 'read',
  'cmyk.jpg': 'read',
  'cut.jpg': /premature end.*The file is damaged: fetch it again or remove it/,
  'deep.png': 'read',
  'empty.jpg': /the file is empty/,
  'huge.png': /30000×30000 = 900000000 pixels are more than the limit of 178956970.*raise the limit \(pixel_limit/,
  'one.png': 'read',
  'palette.png': 'read',
  'pixmap.ppm': 'read',
  'png.jpg': 'read',
  'progressive.jpg': 'read',
  'text.png': /not an image in a known format. Use JPEG/,
  'turned.jpg': 'read',
};

describe('bad pictures, kind by kind', function describeThreads() {
  this.timeout(300_000); // threads start slowly on a busy machine
  const { path, remove } = temporaryFolder();
  const fixtures = JSON.parse(readFileSync(new URL('./fixtures/decoded.json', import.meta.url), 'utf8')).cases;
  const fixture = (name: string) => Buffer.from(fixtures.find((one: any) => one.name === name).file, 'base64');

  before(async () => {
    const jpeg = await image(60, 40).jpeg().toBuffer();
    const files: Record<string, Buffer | string> = {
      'animated.gif': fixture('GIF, animated, first frame'),
      'bitmap.bmp': fixture('BMP, 24 bits'),
      'cmyk.jpg': fixture('JPEG, CMYK'),
      'cut.jpg': jpeg.subarray(0, jpeg.length - 300),
      'deep.png': fixture('PNG, 16-bit RGB'),
      'empty.jpg': '',
      'huge.png': await bomb(),
      'one.png': await image(1, 1).png().toBuffer(),
      'palette.png': fixture('PNG, palette with a transparent colour'),
      'pixmap.ppm': fixture('PPM'),
      'png.jpg': await image(20, 30).png().toBuffer(),
      'progressive.jpg': fixture('JPEG, progressive'),
      'text.png': 'no picture',
      'turned.jpg': fixture('JPEG, EXIF orientation 6, not applied'),
    };
    for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content);
  });
  after(remove);

  for (const workers of [0, 1]) {
    it(`are read, or gray, named and explained; none stops the run, with ${workers} workers`, async () => {
      const events: GraphEvent[] = [];
      const loader = await loaderOf({
        dataset: { type: 'dataset/disk_folder', path },
        transforms: [{ type: 'transform/resize', size: [16, 16] }, { type: 'transform/to_raw_tensor' }],
        collator: { type: 'collator/default', batch_size: 5 },
        training: false,
        workers,
        onEvent: (event) => events.push(event),
      });
      const valid: number[] = [];
      for await (const batch of loader.batches(0)) {
        valid.push(...(batch.arrays.valid as BatchTensor).data);
        batch.release();
      }
      await loader.dispose();
      const reasons = new Map(
        events.flatMap((event) => (event.type === 'bad_sample' ? [[event.path, event.reason] as const] : [])),
      );
      Object.entries(OUTCOMES).forEach(([name, outcome], i) => {
        assert.equal(valid[i], outcome === 'read' ? 1 : 0, name);
        if (outcome === 'read') assert.equal(reasons.has(name), false);
        else assert.match(reasons.get(name) ?? '', outcome);
      });
      assert.equal(valid.length, Object.keys(OUTCOMES).length);
    });
  }

  it('that are too large are read when the limit is raised', async () => {
    const { path: folder, remove: removeFolder } = temporaryFolder();
    writeFileSync(join(folder, 'a.png'), await image(40, 30).png().toBuffer());
    const bad = async (pixel_limit: number) => {
      const loader = await loaderOf({
        dataset: { type: 'dataset/disk_folder', path: folder, pixel_limit },
        transforms: [{ type: 'transform/resize', size: [8, 8] }, { type: 'transform/to_tensor' }],
        collator: { type: 'collator/default', batch_size: 1 },
      });
      const found: number[] = [];
      for await (const batch of loader.batches(0)) {
        found.push(batch.bad);
        batch.release();
      }
      await loader.dispose();
      return found;
    };
    assert.deepEqual([await bad(1199), await bad(1200)], [[1], [0]]);
    await removeFolder();
  });
});

describe('bad folders and lists', () => {
  const { path, remove } = temporaryFolder();
  after(remove);
  const write = (name: string, content: string | Buffer = '') => {
    mkdirSync(join(path, name, '..'), { recursive: true });
    writeFileSync(join(path, name), content);
    return join(path, name);
  };

  it('a folder that cannot be read ends the scan, with its name and the cure', async () => {
    write('locked/a/1.jpg');
    write('locked/b/2.jpg');
    chmodSync(path, 0o755);
    chmodSync(join(path, 'locked/b'), 0o000);
    const root = process.geteuid?.() === 0; // who may read everything
    if (root) process.seteuid!(65_534);
    try {
      await assert.rejects(
        open(diskFolder, { path: join(path, 'locked') }),
        /the folder .*locked\/b cannot be read: permission denied\. Check its permissions/,
      );
    } finally {
      if (root) process.seteuid!(0);
      chmodSync(join(path, 'locked/b'), 0o755);
    }
  });

  it('links in a circle are followed once, and links to nothing or to themselves are left out', async () => {
    write('circle/a/1.jpg');
    symlinkSync(join(path, 'circle'), join(path, 'circle/a/up'));
    symlinkSync(join(path, 'circle/b'), join(path, 'circle/b'));
    symlinkSync(join(path, 'gone'), join(path, 'circle/a/2.jpg'));
    assert.deepEqual(await namesOf(await open(diskFolder, { path: join(path, 'circle') })), ['a/1.jpg']);
  });

  it('one name in two classes, and one path twice in a list, are two samples', async () => {
    write('twice/a/1.jpg');
    write('twice/b/1.jpg');
    const folder = await open(diskFolder, { path: join(path, 'twice') });
    assert.deepEqual(
      [await namesOf(folder), await labelsOf(folder)],
      [
        ['a/1.jpg', 'b/1.jpg'],
        [0, 1],
      ],
    );
    const list = await open(diskFilelist, { path: write('twice.txt', 'a.jpg 0\na.jpg 1\n') });
    assert.deepEqual(
      [await namesOf(list), await labelsOf(list)],
      [
        ['a.jpg', 'a.jpg'],
        [0, 1],
      ],
    );
  });

  it('a name with a comma is one name in a folder, in a text, and in quotes in a CSV', async () => {
    write('comma/a/x, y.jpg');
    assert.deepEqual(await namesOf(await open(diskFolder, { path: join(path, 'comma') })), ['a/x, y.jpg']);
    for (const [name, content] of [
      ['comma.txt', 'x, y.jpg 3\n'],
      ['comma.csv', 'path,label\n"x, y.jpg",3\n'],
    ]) {
      const opened = await open(diskFilelist, { path: write(name, content) });
      assert.deepEqual([await namesOf(opened), await labelsOf(opened)], [['x, y.jpg'], [3]]);
    }
  });

  it('a CSV that is not one is refused', async () => {
    const picture = await image(9, 9).png().toBuffer();
    const refused = (content: string | Buffer) => open(diskFilelist, { path: write('no.csv', content) });
    await assert.rejects(refused(picture), /no\.csv holds bytes that are no text: it is not a \.csv file/);
    await assert.rejects(refused(''), /no\.csv is empty/);
    await assert.rejects(
      refused('path,label\na.jpg,1\nb.jpg\n'),
      /no\.csv: entry 1 has no label, unlike those before it/,
    );
    await assert.rejects(refused('label\n1\n'.replace('label', ',')), /no\.csv: entry 0 is not a path/);
  });

  it('labels of another number than images are refused, with both numbers', async () => {
    const list = write('three.txt', 'a.jpg\nb.jpg\nc.jpg\n');
    const labels = write('two.npy', npyBytes('<i8', [2], [0, 1]));
    await assert.rejects(
      open(diskFilelist, { path: list, labels }),
      /two\.npy has 2 labels, and .*three\.txt 3 images/,
    );
  });
});
