import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import auto from '../../../nodes/datasets/auto.ts';
import diskFilelist from '../../../nodes/datasets/disk_filelist.ts';
import diskFolder from '../../../nodes/datasets/disk_folder.ts';
import idx from '../../../nodes/datasets/idx.ts';
import { temporaryFolder } from '../../data/fixtures.ts';
import { npyBytes, npyTexts } from '../../data/npy-bytes.ts';
import { check, facts, labelsOf, namesOf, open, pixelsOf, read } from './open.ts';

const touch = (root: string, ...names: string[]) => {
  for (const name of names) {
    mkdirSync(join(root, name, '..'), { recursive: true });
    writeFileSync(join(root, name), '');
  }
};

const messages = async (problems: Promise<readonly { message: string; cure?: string }[]>) =>
  (await problems).map(({ message, cure }) => (cure ? `${message}. ${cure}` : message));

describe('dataset/disk_folder', () => {
  const { path, remove } = temporaryFolder();
  const classes = join(path, 'classes');
  const flat = join(path, 'flat');
  const weak = join(path, 'weak');
  before(() => {
    touch(
      classes,
      'cat/2.jpg',
      'cat/10.jpg',
      'dog/deep/1.PNG',
      'dog/0.jpeg',
      'dog/readme.txt',
      'empty/x.txt',
      'loose.jpg',
    );
    touch(flat, 'b.png', 'a.jpg', 'c.txt');
    touch(weak, ...[1, 2, 10].map((k) => `weak-label-${k}/img.jpg`), 'lightly_outputs/plot.png');
  });
  after(remove);

  it('takes classes from sub-folders, sorted, files as ImageFolder orders them', async () => {
    const opened = await open(diskFolder, { path: classes });
    assert.deepEqual(await namesOf(opened), ['cat/10.jpg', 'cat/2.jpg', 'dog/0.jpeg', 'dog/deep/1.PNG']);
    assert.deepEqual(await labelsOf(opened), [0, 0, 1, 1]);
    assert.deepEqual(opened.index.classes, ['cat', 'dog', 'empty']);
    assert.deepEqual(opened.notices.length, 2);
    assert.match(opened.notices[0], /1 images beside the class folders are left out/);
    assert.match(opened.notices[1], /the class folder empty has no images/);
    assert.deepEqual((await read(opened, 0)).source, { file: join(classes, 'cat/10.jpg') });
  });

  it('takes a folder without sub-folders as one class, as lightly does', async () => {
    const opened = await open(diskFolder, { path: flat });
    assert.deepEqual(await namesOf(opened), ['a.jpg', 'b.png']);
    assert.deepEqual(await labelsOf(opened), [0, 0]);
    assert.equal(opened.index.classes, undefined);
  });

  it("follows lightly's weak labels: folders sorted as texts, its own output left out", async () => {
    const opened = await open(diskFolder, { path: weak });
    assert.deepEqual(opened.index.classes, ['weak-label-1', 'weak-label-10', 'weak-label-2']);
    assert.deepEqual(await labelsOf(opened), [0, 1, 2]);
  });

  it('gives no labels when asked, and then takes all images', async () => {
    const opened = await open(diskFolder, { path: classes, labels: 'none' });
    assert.deepEqual((await namesOf(opened))[0], 'loose.jpg');
    assert.deepEqual(await labelsOf(opened), [-1, -1, -1, -1, -1]);
    assert.equal(facts(diskFolder, { path: classes, labels: 'none' }).labelled, false);
    assert.deepEqual(facts(diskFolder, { path: classes }), {
      views: [[['H'], ['W'], [3]]],
      dtype: 'uint8',
      labelled: true,
    });
  });

  it('keeps the first images, or a random part, balanced or not', async () => {
    const many = join(path, 'many');
    for (let i = 0; i < 30; i++) touch(many, `a/${i}.jpg`, ...(i < 10 ? [`b/${i}.jpg`] : []));
    assert.equal((await open(diskFolder, { path: many, limit: 7 })).index.length, 7);
    const part = { count: 12, balanced: true, seed: 3 };
    const first = await open(diskFolder, { path: many, sample: part });
    const labels = await labelsOf(first);
    assert.deepEqual([labels.filter((k) => k === 0).length, labels.filter((k) => k === 1).length], [6, 6]);
    const second = await open(diskFolder, { path: many, sample: { ...part, count: 8, skip: 12 } });
    const names = new Set(await namesOf(first));
    assert.ok((await namesOf(second)).every((name) => !names.has(name)));
    const unbalanced = await open(diskFolder, { path: many, sample: { count: 12 } });
    assert.equal(new Set(await namesOf(unbalanced)).size, 12);
    await assert.rejects(
      open(diskFolder, { path: many, sample: { count: 24, balanced: true } }),
      /class 1 has 10 images/,
    );
    await assert.rejects(open(diskFolder, { path: many, sample: { count: 41 } }), /41 after 0 of 40/);
  });

  it('checks the folder', async () => {
    assert.deepEqual(await messages(check(diskFolder, { path: classes })), []);
    assert.match(
      (await messages(check(diskFolder, { path: join(path, 'clases') })))[0],
      /there is no folder .*clases\. Did you mean classes in/,
    );
    assert.match((await messages(check(diskFolder, { path: join(path, 'nothing', 'train') })))[0], /has no nothing/);
    assert.match((await messages(check(diskFolder, { path: join(flat, 'a.jpg') })))[0], /is not a folder/);
    touch(path, 'texts/a.txt');
    assert.match(
      (await messages(check(diskFolder, { path: join(path, 'texts') })))[0],
      /has no images .* and no sub-folders/,
    );
    await assert.rejects(open(diskFolder, { path: join(path, 'texts') }), /has no images \(\.jpg/);
    await assert.rejects(open(diskFolder, { path: flat, labels: 'folder' }), /has no sub-folders to take classes from/);
  });
});

describe('dataset/disk_filelist', () => {
  const { path, remove } = temporaryFolder();
  const file = (name: string, content: Buffer | string) => {
    writeFileSync(join(path, name), content);
    return join(path, name);
  };
  after(remove);

  it('takes paths and labels from .npy files', async () => {
    const list = file('images.npy', npyTexts(['a/1.jpg', '/abs/2.jpg', 'a/3.jpg']));
    const labels = file('labels.npy', npyBytes('<i8', [3], [5, 0, 7]));
    const opened = await open(diskFilelist, { path: list, labels });
    assert.deepEqual(await labelsOf(opened), [5, 0, 7]);
    assert.deepEqual((await read(opened, 0)).source, { file: join(path, 'a/1.jpg') });
    assert.deepEqual((await read(opened, 1)).source, { file: '/abs/2.jpg' });
    const rooted = await open(diskFilelist, { path: list, root: '/data', labels: 'none', limit: 1 });
    assert.deepEqual((await read(rooted, 0)).source, { file: '/data/a/1.jpg' });
    assert.deepEqual(await labelsOf(rooted), [-1]);
  });

  it('takes rows of numbers for several labels', async () => {
    const list = file('images.npy', npyTexts(['a.jpg', 'b.jpg']));
    const labels = file('voc.npy', npyBytes('<i4', [2, 3], [1, 0, -1, 0, 0, 1]));
    const opened = await open(diskFilelist, { path: list, labels, label_size: 3 });
    assert.deepEqual(await labelsOf(opened), [
      [1, 0, -1],
      [0, 0, 1],
    ]);
    assert.equal(facts(diskFilelist, { path: list, labels, label_size: 3 }).labelSize, 3);
    await assert.rejects(
      open(diskFilelist, { path: list, labels }),
      /3 numbers per label, and label_size is 1: set it to 3/,
    );
    const short = file('short.npy', npyBytes('<i4', [1], [1]));
    await assert.rejects(open(diskFilelist, { path: list, labels: short }), /has 1 labels, and .* 2 images/);
  });

  it('takes labels beside the paths', async () => {
    const opened = await open(diskFilelist, { path: file('list.csv', 'path,label\na.jpg,dog\nb.jpg,cat\n') });
    assert.deepEqual(await labelsOf(opened), [1, 0]);
    assert.deepEqual(opened.index.classes, ['cat', 'dog']);
  });

  it('takes lists of positive and negative classes', async () => {
    const content = JSON.stringify([
      { path: 'a.jpg', positive: [3, 1], negative: [] },
      { path: 'b.jpg', positive: [], negative: [2] },
    ]);
    const opened = await open(diskFilelist, { path: file('open.json', content) });
    assert.deepEqual(await labelsOf(opened), [
      { positive: [3, 1], negative: [] },
      { positive: [], negative: [2] },
    ]);
    const picked = await open(diskFilelist, { path: join(path, 'open.json'), limit: 1 });
    assert.deepEqual(await labelsOf(picked), [{ positive: [3, 1], negative: [] }]);
  });

  it('checks list, labels and the first image', async () => {
    touch(path, 'there.jpg');
    assert.deepEqual(await messages(check(diskFilelist, { path: file('ok.txt', 'there.jpg\n') })), []);
    assert.match(
      (await messages(check(diskFilelist, { path: file('no.txt', 'gone.jpg\n') })))[0],
      /the first image of the list, .*gone\.jpg, does not exist\. Set "root"/,
    );
    assert.match((await messages(check(diskFilelist, { path: file('x.yaml', '') })))[0], /is not a list\. Use \.npy/);
    assert.match(
      (await messages(check(diskFilelist, { path: join(path, 'ok.tx') })))[0],
      /there is no file .*Did you mean ok\.txt/,
    );
    const missing = await messages(check(diskFilelist, { path: join(path, 'ok.txt'), labels: join(path, 'lab.npy') }));
    assert.match(missing[0], /there is no file .*lab\.npy/);
  });
});

describe('dataset/idx', () => {
  const { path, remove } = temporaryFolder();
  const write = (name: string, sizes: number[], values: number[]) => {
    const head = Buffer.alloc(4 + 4 * sizes.length);
    head[2] = 8;
    head[3] = sizes.length;
    for (const [i, size] of sizes.entries()) head.writeUInt32BE(size, 4 + 4 * i);
    writeFileSync(join(path, name), Buffer.concat([head, Buffer.from(values)]));
  };
  before(() => {
    write('train-images-idx3-ubyte', [3, 1, 2], [1, 2, 3, 4, 5, 6]);
    write('train-labels-idx1-ubyte', [3], [9, 0, 4]);
    write('odd.idx', [2, 1, 2], [7, 8, 9, 10]);
    write('odd-labels.idx', [1], [1]);
  });
  after(remove);

  it('gives pictures of three equal channels, and labels', async () => {
    const opened = await open(idx, { path, size: [1, 2] });
    assert.equal(opened.index.length, 3);
    const picture = await pixelsOf(opened, 1);
    assert.deepEqual([Array.from(picture.pixels), picture.width, picture.height], [[3, 3, 3, 4, 4, 4], 2, 1]);
    assert.deepEqual(await labelsOf(opened), [9, 0, 4]);
    assert.equal((await open(idx, { path, size: [1, 2], limit: 2 })).index.length, 2);
    assert.deepEqual(facts(idx, { path }).views, [[[28], [28], [3]]]);
    const { pixels } = (await open(idx, { path, size: [1, 2] })).index.data as { pixels: Uint8Array };
    assert.ok(pixels.buffer instanceof SharedArrayBuffer);
  });

  it('says what does not fit', async () => {
    await assert.rejects(open(idx, { path }), /holds images of 1×2: set "size" to \[1, 2\]/);
    await assert.rejects(
      open(idx, { path, size: [1, 2], images: 'odd.idx', labels: 'odd-labels.idx' }),
      /has 2 images, and the file of labels 1 numbers/,
    );
    await assert.rejects(open(idx, { path, split: 'test' }), /has none of t10k-images-idx3-ubyte/);
    assert.deepEqual((await messages(check(idx, { path, split: 'test' }))).length, 2);
    assert.deepEqual(await messages(check(idx, { path })), []);
  });

  it('is what dataset/auto takes such a folder for', async () => {
    await assert.rejects(open(auto, { path }), /set "size" to \[1, 2\]/);
  });
});

describe('dataset/auto', () => {
  const { path, remove } = temporaryFolder();
  before(() => touch(path, 'split/train/a/1.jpg', 'split/val/a/2.jpg', 'split/val/b/3.jpg', 'whole/a/4.jpg'));
  after(remove);

  it('takes the sub-folder of the split where there is one', async () => {
    assert.deepEqual(await namesOf(await open(auto, { path: join(path, 'split') })), ['a/1.jpg']);
    assert.deepEqual(await namesOf(await open(auto, { path: join(path, 'split'), split: 'test' })), [
      'a/2.jpg',
      'b/3.jpg',
    ]);
    assert.deepEqual(await namesOf(await open(auto, { path: join(path, 'whole'), split: 'test' })), ['a/4.jpg']);
  });

  it('generates pictures, other ones for another split', async () => {
    const train = await open(auto, { path: 'shapes', size: 16, limit: 5 });
    const test = await open(auto, { path: 'shapes', size: 16, limit: 5, split: 'test' });
    assert.equal(train.index.length, 5);
    assert.notDeepEqual((await pixelsOf(train, 0)).pixels, (await pixelsOf(test, 0)).pixels);
    const known = facts(auto, { path: 'shapes', size: 16, limit: 5 });
    assert.deepEqual([known.views, known.length], [[[[16], [16], [3]]], 5]);
    assert.equal(known.classes, train.index.classes?.length);
    assert.deepEqual(facts(auto, { path }).views, [[['H'], ['W'], [3]]]);
  });

  it('checks what it takes', async () => {
    assert.deepEqual(await messages(check(auto, { path: 'shapes' })), []);
    assert.match(
      (await messages(check(auto, { path: 'no-such-folder' })))[0],
      /there is no folder no-such-folder\. Name a folder, or "shapes"/,
    );
  });
});
