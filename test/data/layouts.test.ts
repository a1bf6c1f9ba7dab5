import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import coco from '../../nodes/datasets/coco.ts';
import pascalVoc from '../../nodes/datasets/pascal_voc.ts';
import { readCoco } from '../../runtime/data/layouts/coco.ts';
import { readImageIds } from '../../runtime/data/layouts/image-ids.ts';
import { readINaturalist } from '../../runtime/data/layouts/inaturalist.ts';
import type { LabelledFiles } from '../../runtime/data/layouts/labelled-files.ts';
import { readPascalVoc } from '../../runtime/data/layouts/pascal-voc.ts';
import { stringAt } from '../../runtime/data/string-table.ts';
import { check, facts, labelsOf, namesOf, open } from '../nodes/datasets/open.ts';
import { temporaryFolder } from './fixtures.ts';

const rows = ({ paths, labels, labelSize }: LabelledFiles) =>
  Array.from({ length: paths.length }, (_, i) => [
    stringAt(paths, i),
    ...labels.subarray(i * labelSize, (i + 1) * labelSize),
  ]);

describe('layouts of known datasets', () => {
  const { path, remove } = temporaryFolder();
  after(remove);
  const write = (name: string, content: string) => {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), content);
  };

  before(() => {
    const main = (name: string) => `voc/ImageSets/Main/${name}.txt`;
    write(main('aeroplane_trainval'), '000005  1\n000007 -1\n000009  0\n');
    write(main('bicycle_trainval'), '000007  1\n000005 -1\n');
    write(main('aeroplane_test'), '000001 -1\n');
    write(main('bicycle_test'), '000001  1\n');
    for (const set of ['trainval', 'test', 'train']) write(main(set), '000005\n');
    write(main('a_b_trainval'), 'x 1\n');
    write('voc12/ImageSets/Main/cat_train.txt', '2008_01 1\n');
    write('voc12/ImageSets/Main/cat_val.txt', '2008_02 -1\n');
    write('voc12/ImageSets/Main/cat_trainval.txt', '2008_01 1\n2008_02 -1\n');
    const box = (image_id: number, category_id: number, bbox: number[], area = 9, more = {}) => ({
      image_id,
      category_id,
      bbox,
      area,
      segmentation: [[1, 2, 3]],
      ...more,
    });
    const instances = {
      info: { year: 2014 },
      images: [
        { id: 9, file_name: 'b.jpg', width: 20, height: 10 },
        { id: 4, file_name: 'a.jpg', width: 20, height: 10 },
      ],
      annotations: [
        box(9, 18, [1, 1, 5, 5]),
        box(9, 1, [1, 1, 5, 5], 0), // no area
        box(4, 1, [1, 1, 5, 5], 9, { ignore: 1 }),
        box(4, 1, [19, 2, 50, 5]), // one pixel wide within the image
        box(4, 18, [3, 3, 1, 5]), // one pixel wide
        box(4, 7, [-4, -4, 8, 8], 9, { iscrowd: 1 }),
      ],
      categories: [
        { id: 1, name: 'person' },
        { id: 7, name: 'train' },
        { id: 18, name: 'dog' },
      ],
    };
    write('coco/annotations/instances_train2014.json', JSON.stringify(instances));
    write(
      'coco/annotations/instances_val2014.json',
      JSON.stringify({ ...instances, annotations: [box(5, 1, [0, 0, 9, 9])] }),
    );
    const inat = [
      { file_name: 'train_val2018/Plantae/7477/x.jpg', id: 1 },
      { file_name: 'train_val2018/Aves/12/y.jpg', id: 2 },
    ];
    write('inat/train2018.json', JSON.stringify({ images: inat }));
    write('inat/val2018.json', JSON.stringify({ images: [{ file_name: 'y.jpg' }] }));
    for (const name of ['n02/n02_1.JPEG', 'n01/n01_7.JPEG', 'n01/n01_8.JPEG']) write(`imagenet/${name}`, '');
  });

  it('Pascal VOC: a number per class, difficult and unsaid ones -1, images sorted', async () => {
    const voc = join(path, 'voc');
    const train = await readPascalVoc(voc, 'train');
    assert.deepEqual(train.classes, ['aeroplane', 'bicycle']);
    assert.deepEqual(rows(train), [
      ['JPEGImages/000005.jpg', 1, 0],
      ['JPEGImages/000007.jpg', 0, 1],
      ['JPEGImages/000009.jpg', -1, -1],
    ]);
    assert.deepEqual(rows(await readPascalVoc(voc, 'val')), [['JPEGImages/000001.jpg', 0, 1]]);
  });

  it('Pascal VOC without a test set takes train and val', async () => {
    const voc = join(path, 'voc12');
    assert.deepEqual(rows(await readPascalVoc(voc, 'train')), [['JPEGImages/2008_01.jpg', 1]]);
    assert.deepEqual(rows(await readPascalVoc(voc, 'val')), [['JPEGImages/2008_02.jpg', 0]]);
  });

  it('Pascal VOC: says what is missing or wrong', async () => {
    await assert.rejects(readPascalVoc(join(path, 'coco'), 'train'), /is no Pascal VOC folder: it has no ImageSets/);
    write('voc3/ImageSets/Main/a_trainval.txt', 'x 1\n');
    write('voc3/ImageSets/Main/a_test.txt', 'x 1\n');
    write('voc3/ImageSets/Main/b_test.txt', 'x 1\n');
    await assert.rejects(readPascalVoc(join(path, 'voc3'), 'train'), /has 1 classes in trainval and 2 in test/);
    write('voc3/ImageSets/Main/b_trainval.txt', 'x 1\ny 3\n');
    await assert.rejects(
      readPascalVoc(join(path, 'voc3'), 'train'),
      /b_trainval\.txt:2: expected an image and 1, 0 or -1/,
    );
  });

  it('COCO: 1 for classes with a visible object, classes as in the file, images sorted', async () => {
    const train = await readCoco(join(path, 'coco'), 'train');
    assert.deepEqual(train.classes, ['person', 'train', 'dog']);
    assert.deepEqual(rows(train), [
      ['train2014/a.jpg', 0, 1, 0],
      ['train2014/b.jpg', 0, 0, 1],
    ]);
    await assert.rejects(readCoco(join(path, 'coco'), 'val'), /an object of image 5, category 1, is not listed/);
    await assert.rejects(readCoco(join(path, 'coco'), 'minival'), /has no annotations\/instances_minival2014\.json/);
    write('coco2/annotations/instances_val2014.json', '{"images": [{"id": "x"}]}');
    await assert.rejects(readCoco(join(path, 'coco2'), 'val'), /\{"id":"x"\} is not an image with id, file_name/);
  });

  it('iNaturalist 2018: the class is the number of the folder', async () => {
    assert.deepEqual(rows(await readINaturalist(join(path, 'inat'), 'train')), [
      ['train_val2018/Plantae/7477/x.jpg', 7477],
      ['train_val2018/Aves/12/y.jpg', 12],
    ]);
    await assert.rejects(readINaturalist(join(path, 'inat'), 'val'), /y\.jpg is not of the form train_val2018/);
  });

  it("lists of ImageNet's ids, such as 1 % and 10 %", async () => {
    write('one.txt', 'n02_1.JPEG\nn01_8.JPEG\n\n');
    const { classes, ...part } = await readImageIds(join(path, 'one.txt'), join(path, 'imagenet'));
    assert.deepEqual(classes, ['n01', 'n02']);
    assert.deepEqual(rows(part), [
      ['n02/n02_1.JPEG', 1],
      ['n01/n01_8.JPEG', 0],
    ]);
    write('two.txt', 'n01_8.JPEG\nn03_8.JPEG\n');
    await assert.rejects(
      readImageIds(join(path, 'two.txt'), join(path, 'imagenet')),
      /two\.txt:2: n03_8\.JPEG belongs to no class folder/,
    );
  });

  it('are datasets: labels of several numbers, parts, checks', async () => {
    const voc = { path: join(path, 'voc'), label_size: 2 };
    const opened = await open(pascalVoc, voc);
    assert.deepEqual(
      await namesOf(opened),
      ['000005', '000007', '000009'].map((id) => `JPEGImages/${id}.jpg`),
    );
    assert.deepEqual(await labelsOf(opened), [
      [1, 0],
      [0, 1],
      [-1, -1],
    ]);
    assert.equal((await open(pascalVoc, { ...voc, split: 'val' })).index.length, 1);
    assert.equal((await open(pascalVoc, { ...voc, limit: 2 })).index.length, 2);
    await assert.rejects(
      open(pascalVoc, { path: voc.path }),
      /has 2 classes, and label_size is 20: set "label_size" to 2/,
    );
    assert.deepEqual([facts(pascalVoc, { path: 'x' }).labelSize, facts(coco, { path: 'x' }).labelSize], [20, 80]);
    const objects = await open(coco, { path: join(path, 'coco'), label_size: 3 });
    assert.deepEqual(await labelsOf(objects), [
      [0, 1, 0],
      [0, 0, 1],
    ]);
    assert.deepEqual(await check(coco, { path: join(path, 'coco') }), []);
    assert.match((await check(coco, { path: join(path, 'coco'), split: 'minival' }))[0].message, /there is no file/);
    assert.match((await check(pascalVoc, { path: join(path, 'none') }))[0].message, /there is no folder/);
  });
});
