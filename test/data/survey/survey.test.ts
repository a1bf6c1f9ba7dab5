import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { readHeaders } from '../../../runtime/data/survey/headers.ts';
import { sizeReport, spread } from '../../../runtime/data/survey/sizes.ts';
import { surveyFolder } from '../../../runtime/data/survey/survey.ts';
import { takenFor } from '../../../runtime/data/survey/taken-for.ts';

const { signal } = new AbortController();

describe('a survey of a folder', () => {
  let root = '';
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'pipe-survey-'));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));
  const put = (...paths: string[]): void => {
    for (const path of paths) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), '');
    }
  };
  const survey = (sample = 10) => surveyFolder(root, { sample, signal });
  const kind = async () => takenFor('data', await survey()).kind;

  it('counts images by top folder, whatever lies deeper, and what is not read', async () => {
    put(
      'b/1.jpg',
      'b/deep/er/2.PNG',
      'a/3.webp',
      'loose.jpeg',
      'a/notes.txt',
      'a/old.PSD',
      '.hidden/4.jpg',
      'a/LICENSE',
    );
    mkdirSync(join(root, 'empty'));
    symlinkSync(join(root, 'b'), join(root, 'linked'));
    symlinkSync(root, join(root, 'b', 'back'));
    symlinkSync(join(root, 'nothing'), join(root, 'dangling.jpg'));
    const found = await survey();
    assert.deepEqual([...found.classes], [['a', 1], ['b', 2], ['empty', 0], ['linked', 2]]); // biome-ignore format: a table
    assert.deepEqual([found.images, found.loose, found.videos], [6, 1, 0]);
    assert.deepEqual(Object.fromEntries(found.others), { '.txt': 1, '.psd': 1, 'no suffix': 1 });
    assert.equal(takenFor('data', found).kind, 'class folders');
  });

  it('takes a folder for what pipelines read it as', async () => {
    assert.equal(await kind(), 'nothing');
    put('1.jpg', '2.jpg');
    assert.equal(await kind(), 'flat');
    put('lightly_outputs/embeddings.jpg');
    assert.equal(await kind(), 'flat', "lightly's own output is no class");
    put('cat/1.jpg');
    assert.equal(await kind(), 'class folders');
    put('train/cat/1.jpg', 'val/cat/1.jpg');
    const taken = takenFor('data', await survey());
    assert.deepEqual([taken.kind, taken.parts], ['splits', ['train', 'val']]);
    assert.deepEqual(taken.node, { type: 'dataset/disk_folder', path: 'data/train' });
    put('cat/clip.MOV');
    assert.deepEqual(takenFor('data', await survey()).node, { type: 'dataset/video_folder', path: 'data' });
    put('train-images-idx3-ubyte.gz');
    assert.equal(await kind(), 'idx');
  });

  it('picks images at random, each as likely as any other, the same ones each time', async () => {
    put(...Array.from({ length: 60 }, (_, i) => `c/${i}.jpg`));
    const { sample } = await survey(20);
    assert.equal(new Set(sample).size, 20);
    const late = sample.filter((path) => Number(/\d+/.exec(path)) >= 30).length;
    assert(late > 3 && late < 17, `${late} of the second half`);
    assert.deepEqual((await survey(20)).sample, sample);
    assert.equal((await survey(Number.POSITIVE_INFINITY)).sample.length, 60);
    assert.equal((await survey(0)).sample.length, 0);
  });

  it('ends with the signal', async () => {
    put('a/1.jpg');
    await assert.rejects(surveyFolder(root, { sample: 1, signal: AbortSignal.abort(new Error('enough')) }), /enough/);
  });

  it('reads sizes and forms from headers, and names what is bad', async () => {
    const image = (width: number, height: number) =>
      sharp({ create: { width, height, channels: 3, background: '#888' } });
    await image(300, 200).jpeg().toFile(join(root, 'a.jpg'));
    await image(64, 500).png().toFile(join(root, 'b.png'));
    const noise = Buffer.from(Array.from({ length: 300 * 200 * 3 }, (_, i) => (i * i * 7919) % 251));
    const whole = await sharp(noise, { raw: { width: 300, height: 200, channels: 3 } })
      .jpeg()
      .toBuffer();
    writeFileSync(join(root, 'cut.jpg'), whole.subarray(0, whole.length / 2));
    writeFileSync(join(root, 'text.jpg'), 'not an image');
    put('empty.png');
    const paths = ['a.jpg', 'b.png', 'cut.jpg', 'text.jpg', 'empty.png', 'gone.jpg'];
    const headers = await readHeaders(root, paths, { decode: false, signal });
    assert.deepEqual(
      headers.bad.map(({ path, reason }) => `${path}: ${reason.replace(/, stat.*/, '')}`),
      [
        'empty.png: the file is empty',
        'gone.jpg: ENOENT: no such file or directory',
        'text.jpg: not an image in a known format',
      ],
    );
    const report = sizeReport(headers.images);
    assert.deepEqual(report.width, { min: 64, median: 300, max: 300 });
    assert.deepEqual(report.formats, { jpeg: 2, png: 1 });
    assert.deepEqual(report.shorterSide.filter(({ count }) => count > 0), [{ below: 128, count: 1 }, { below: 224, count: 2 }]); // biome-ignore format: a table
    const decoded = await readHeaders(root, paths, { decode: true, signal });
    assert.deepEqual(decoded.bad.map(({ path }) => path), ['cut.jpg', 'empty.png', 'gone.jpg', 'text.jpg']); // biome-ignore format: a table
    assert.deepEqual(spread([5, 1, 9, 3]), { min: 1, median: 3, max: 9 });
  });
});
