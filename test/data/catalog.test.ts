import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import catalogNode from '../../nodes/datasets/catalog.ts';
import diskFolder from '../../nodes/datasets/disk_folder.ts';
import { Catalog, splitOf } from '../../runtime/data/catalog/catalog.ts';
import { resolveDataset } from '../../runtime/data/catalog/resolve.ts';
import { check, facts, labelsOf, namesOf, open } from '../nodes/datasets/open.ts';
import { temporaryFolder } from './fixtures.ts';
import { npyBytes, npyTexts } from './npy-bytes.ts';

describe('the catalog of datasets', () => {
  const { path, remove } = temporaryFolder();
  after(remove);
  const write = (name: string, content: string | Buffer) => {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), content);
    return join(path, name);
  };
  const entry = { train: ['a', 'b'], val: ['c'] };

  it('takes entries, objects and files, and gives them by name', async () => {
    const catalog = new Catalog();
    catalog.registerData('one', entry);
    catalog.registerDict({ two: entry, three: { train: ['x'] } });
    const file = write('more/datasets.json', JSON.stringify({ four: { train: ['images', '/abs/labels.npy'] } }));
    await catalog.registerJson(file);
    assert.deepEqual(catalog.list(), ['one', 'two', 'three', 'four']);
    assert.deepEqual(catalog.get('one'), entry);
    assert.deepEqual(catalog.get('four'), { train: [join(path, 'more/images'), '/abs/labels.npy'] });
    assert.deepEqual([catalog.hasData('two'), catalog.hasData('zwei')], [true, false]);
    catalog.remove('two');
    assert.deepEqual(Object.keys(catalog.toJSON()), ['one', 'three', 'four']);
    catalog.clear();
    assert.deepEqual(catalog.list(), []);
    assert.throws(() => catalog.get('one'), /has no dataset one; it is empty/);
  });

  it('refuses what is no entry, and names that are taken or unknown, and then stays as it is', async () => {
    const catalog = new Catalog();
    catalog.registerData('imagenet1k_folder', entry);
    const register = (value: unknown) => () => catalog.registerData('x', value);
    assert.throws(register('path'), /dataset x is not an object/);
    assert.throws(register([]), /dataset x is not an object/);
    assert.throws(register({}), /dataset x has no splits/);
    assert.throws(register({ train: 'path' }), /dataset x, split train: expected \[images\]/);
    assert.throws(register({ train: ['a', 'b', 'c'] }), /split train/);
    assert.throws(() => catalog.registerData('imagenet1k_folder', entry), /has a dataset imagenet1k_folder already/);
    assert.throws(() => catalog.registerDict({ new: entry, imagenet1k_folder: entry }), /already/);
    assert.throws(() => catalog.registerDict([entry]), /a catalog is an object/);
    assert.throws(() => catalog.get('imagenet1k_foldr'), /it has imagenet1k_folder\. Did you mean/);
    await assert.rejects(catalog.registerJson(write('bad.json', '{')), /bad\.json cannot be read as a catalog/);
    await assert.rejects(catalog.registerJson(write('odd.json', '{"a": 1}')), /odd\.json: dataset a is not an object/);
    await assert.rejects(catalog.registerJson(join(path, 'none.json')), /none\.json cannot be read as a catalog/);
    assert.deepEqual(catalog.list(), ['imagenet1k_folder']);
  });

  it('gives val for whatever is not train and not named', () => {
    assert.deepEqual(splitOf('x', entry as never, 'test'), ['c']);
    assert.deepEqual(splitOf('x', { train: ['a'], test: ['t'] }, 'val'), ['t']);
    assert.throws(() => splitOf('x', { val: ['a'] }, 'train'), /dataset x has no split train; it has val/);
    assert.throws(() => splitOf('x', { train: ['a'] }, 'val'), /has no split val/);
  });

  it('knows layouts by what is there', async () => {
    write('voc/ImageSets/Main/cat_trainval.txt', '1 1\n');
    write('voc/ImageSets/Main/cat_test.txt', '2 -1\n');
    write('coco/annotations/instances_train2014.json', '{}');
    write('imagenet/train/a/1.jpg', '');
    const list = write('list.npy', npyTexts(['1.jpg']));
    const labels = write('labels.npy', npyBytes('<i8', [1], [3]));
    const at = (name: string) => join(path, name);
    assert.deepEqual(await resolveDataset([at('voc')], 'test'), {
      dataset: 'pascal_voc',
      path: at('voc'),
      split: 'val',
    });
    assert.deepEqual(await resolveDataset([at('coco')], 'train'), {
      dataset: 'coco',
      path: at('coco'),
      split: 'train',
    });
    const folder = at('imagenet/train');
    assert.deepEqual(await resolveDataset([folder, folder], 'train'), { dataset: 'disk_folder', path: folder });
    assert.deepEqual(await resolveDataset([folder, '<unused>'], 'train'), { dataset: 'disk_folder', path: folder });
    assert.deepEqual(await resolveDataset([folder, labels], 'train'), { dataset: 'disk_folder', path: folder, labels });
    assert.deepEqual(await resolveDataset([list, labels], 'train'), { dataset: 'disk_filelist', path: list, labels });
    await assert.rejects(resolveDataset([at('gone')], 'train'), /there is no file or folder .*gone/);
  });

  it('is what dataset/catalog reads by name: folders, lists, Pascal VOC', async () => {
    write('own/train/cat/1.jpg', '');
    write('own/train/dog/2.jpg', '');
    write('own/images.npy', npyTexts(['x.jpg', 'y.jpg']));
    write('own/labels.npy', npyBytes('<i4', [2], [7, 8]));
    write('x.jpg', '');
    const catalog = write(
      'own/datasets.json',
      JSON.stringify({
        pets: { train: ['train'], val: ['images.npy', 'labels.npy'] },
        voc2007_folder: { train: ['../voc'], val: ['../voc'] },
      }),
    );
    const pets = await open(catalogNode, { name: 'pets', catalog });
    assert.deepEqual(
      [await namesOf(pets), await labelsOf(pets)],
      [
        ['cat/1.jpg', 'dog/2.jpg'],
        [0, 1],
      ],
    );
    const val = await open(catalogNode, { name: 'pets', catalog, split: 'test', limit: 1 });
    assert.deepEqual([await namesOf(val), await labelsOf(val)], [['x.jpg'], [7]]);
    const voc = await open(catalogNode, { name: 'voc2007_folder', catalog, label_size: 1 });
    assert.deepEqual(await labelsOf(voc), [1]);
    assert.equal(facts(catalogNode, { name: 'voc', label_size: 20 }).labelSize, 20);
    assert.deepEqual(await check(catalogNode, { name: 'pets', catalog }), []);
    assert.match(
      (await check(catalogNode, { name: 'pet', catalog }))[0].message,
      /no dataset pet; it has pets, voc2007_folder/,
    );
    assert.match(
      (await check(catalogNode, { name: 'pets', catalog: 'none.json' }))[0].message,
      /there is no catalog none\.json/,
    );
  });

  it('may have labels in a file for the images of a folder', async () => {
    const labels = write('mixed.npy', npyBytes('<i4', [2, 2], [1, 0, 0, 1]));
    const folder = { path: join(path, 'own/train'), labels };
    const opened = await open(diskFolder, { ...folder, label_size: 2 });
    assert.deepEqual(await labelsOf(opened), [
      [1, 0],
      [0, 1],
    ]);
    assert.equal(opened.index.classes, undefined);
    await assert.rejects(open(diskFolder, folder), /has 2 numbers per label, and label_size is 1: set it to 2/);
    const short = write('short.npy', npyBytes('<i4', [1], [1]));
    await assert.rejects(open(diskFolder, { ...folder, labels: short }), /has 1 labels, and .*own\/train 2 images/);
    assert.match((await check(diskFolder, { ...folder, labels: 'gone.npy' }))[0].message, /there is no file gone\.npy/);
  });
});
