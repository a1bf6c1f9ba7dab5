import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { writeNpyFiles } from '../../nodes/features/npy-files.ts';
import { readNpyLabels, readNpyStrings } from '../../runtime/data/npy-values.ts';
import { stringAt } from '../../runtime/data/string-table.ts';
import { loadEmbeddings } from '../../runtime/lightly/load-embeddings.ts';
import { packageRoot } from '../../runtime/package.ts';
import { pipe, startPipe, withFolder } from './support.ts';

const write = (file: string, content = '') => {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
};

describe('commands about datasets', function () {
  this.timeout(180_000);

  it(
    'dataset: names are added, listed, told, read and removed',
    withFolder(async (folder) => {
      const at = (...path: string[]) => join(folder, ...path);
      for (const name of ['train/cat/1.jpg', 'train/dog/2.jpg', 'val/cat/3.jpg']) write(at(name));
      const inside = (...args: string[]) => startPipe(['dataset', ...args], { cwd: folder });
      const added = await inside('add', 'pets', '--train', 'train', '--val', 'val');
      assert.equal(added.code, 0, added.stderr);
      assert.deepEqual(JSON.parse(readFileSync(at('datasets.json'), 'utf8')), {
        pets: { train: [at('train')], val: [at('val')] },
      });
      assert.equal((await inside()).stdout, 'pets  train, val\n');
      const told = JSON.parse((await inside('get', 'pets')).stdout);
      assert.deepEqual(told.nodes.train, { type: 'dataset/disk_folder', path: at('train') });
      const paths = await inside('paths', 'pets', '--split', 'train');
      assert.equal(paths.stdout, `${at('train/cat/1.jpg')}\n${at('train/dog/2.jpg')}\n`);
      write(at('other.json'), JSON.stringify({ more: { train: ['train'] } }));
      assert.equal((await inside('add', '--from', 'other.json')).code, 0);
      assert.equal((await inside('list')).stdout, 'pets  train, val\nmore  train\n');
      const again = await inside('add', 'pets', '--train', 'train');
      assert.deepEqual([again.code, again.stdout], [2, '']);
      assert.match(again.stderr, /has a dataset pets already/);
      const unknown = await inside('get', 'pet');
      assert.equal(unknown.code, 2);
      assert.match(unknown.stderr, /no dataset pet; it has pets, more/);
      assert.equal((await inside('remove', 'pets')).code, 0);
      assert.equal((await inside('list')).stdout, 'more  train\n');
    }),
  );

  it(
    'dataset lists: lists of images and labels, and the entry of a catalog',
    withFolder(async (folder) => {
      const at = (...path: string[]) => join(folder, ...path);
      write(at('voc/ImageSets/Main/cat_trainval.txt'), '000001 1\n000002 -1\n');
      write(at('voc/ImageSets/Main/cat_test.txt'), '000003 0\n');
      const { code, stdout, stderr } = await pipe('dataset', 'lists', at('voc'), '--out', at('out'));
      assert.equal(code, 0, stderr);
      assert.match(stderr, /train: 2 images, 1 number per label/);
      const entry = JSON.parse(stdout);
      assert.deepEqual(Object.keys(entry), ['train', 'val']);
      const [images, labels] = entry.train;
      assert.deepEqual(Array.from((await readNpyLabels(labels)).values), [1, 0]);
      const names = await readNpyStrings(images);
      assert.equal(stringAt(names, 1), at('voc/JPEGImages/000002.jpg'));
      for (const name of ['a/a_1.JPEG', 'b/b_1.JPEG', 'b/b_2.JPEG']) write(at('imagenet', name));
      write(at('ids.txt'), 'b_2.JPEG\n');
      const part = await pipe('dataset', 'lists', at('imagenet'), '--ids', at('ids.txt'), '--out', at('part'));
      assert.equal(part.code, 0, part.stderr);
      assert.deepEqual(Array.from((await readNpyLabels(at('part/train_labels.npy'))).values), [1]);
    }),
  );

  it(
    'dataset copy: a copy that is there is not made again',
    withFolder(async (folder) => {
      write(join(folder, 'images/a/1.jpg'), 'one');
      write(join(folder, 'images/b/2.jpg'), 'two');
      const first = await pipe('dataset', 'copy', join(folder, 'images'), join(folder, 'disk'));
      assert.equal(first.code, 0, first.stderr);
      assert.match(first.stderr, /2 files copied, 0 there already/);
      assert.equal(readFileSync(join(first.stdout.trim(), 'b/2.jpg'), 'utf8'), 'two');
      const second = await pipe('dataset', 'copy', join(folder, 'images'), join(folder, 'disk'));
      assert.match(second.stderr, /0 files copied, 2 there already/);
      assert.equal(second.stdout, first.stdout);
    }),
  );

  it(
    "embed: features of a run as lightly's CSV, with the names of the images",
    withFolder(async (folder) => {
      for (const name of ['cat/1.jpg', 'cat/2, old.jpg', 'dog/3.jpg']) write(join(folder, 'images', name));
      mkdirSync(join(folder, 'features'));
      await writeNpyFiles(join(folder, 'features'), 'train', 'heads', {
        rows: 3,
        width: 2,
        features: Float32Array.of(1, 2, 3, 4, 5, 6),
        labels: Int32Array.of(0, 0, 1),
        indices: Int32Array.of(0, 1, 2),
      });
      const csv = join(folder, 'embeddings.csv');
      const args = ['embed', join(folder, 'features'), '--images', join(folder, 'images'), '-o', csv];
      const { code, stderr } = await pipe(...args);
      assert.equal(code, 0, stderr);
      const { filenames, labels, embeddings } = await loadEmbeddings(csv);
      assert.deepEqual(filenames, ['cat/1.jpg', 'cat/2, old.jpg', 'dog/3.jpg']);
      assert.deepEqual(
        [labels, Array.from(embeddings.data)],
        [
          [0, 0, 1],
          [1, 2, 3, 4, 5, 6],
        ],
      );
      const wrong = await pipe(...args, '--layer', 'res5');
      assert.equal(wrong.code, 2);
      assert.match(wrong.stderr, /has no file rank…_train_res5_features\.npy/);
      assert.ok(!existsSync(join(folder, 'res5.csv')));
    }),
  );

  it('the template of a catalog can be read and has the names of VISSL', async () => {
    const { code, stdout, stderr } = await pipe('dataset', '--catalog', join(packageRoot, 'examples/datasets.json'));
    assert.equal(code, 0, stderr);
    for (const name of ['imagenet1k_folder', 'places205_folder', 'voc2007_folder', 'google-imagenet1k-per01']) {
      assert.match(stdout, new RegExp(`^${name} {2}train, val$`, 'm'));
    }
  });
});
