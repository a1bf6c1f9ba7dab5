import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { pipe, withFolder } from './support.ts';

describe('pipe views', function () {
  this.timeout(180_000);

  it(
    'draws the views of a pipeline that ships, as a page and as a picture',
    withFolder(async (folder) => {
      const page = join(folder, 'views.html');
      const { code, stdout, stderr } = await pipe('views', 'quick/swav', '--out', page, '--images', '3');
      assert.equal(code, 0, stderr);
      assert.match(stdout, /views\.html: 3 images, 2 views each/);
      const html = readFileSync(page, 'utf8');
      assert.equal(html.split('<img ').length - 1, 3 * (1 + 2));
      assert.match(html, /multi_crop → random_horizontal_flip[\s\S]*view 1: 32×32/);
      assert.doesNotMatch(html, /(src|href)="(?!data:)/);
      const picture = join(folder, 'views.png');
      await pipe('views', 'quick/swav', '--out', picture, '--images', '4', 'size=48', 'size_crops=[40]');
      const { width, height } = await sharp(picture).metadata();
      assert.deepEqual([width, height], [4 + (96 + 4) + 2 * (80 + 4), 4 + 4 * (96 + 4)], 'enlarged twice');
    }),
  );

  it(
    'tells of a bad picture, and reads other batches on request',
    withFolder(async (folder) => {
      const images = join(folder, 'images');
      mkdirSync(join(images, 'a'), { recursive: true });
      const grey = sharp({ create: { width: 90, height: 70, channels: 3, background: '#456' } });
      await grey.jpeg().toFile(join(images, 'a', '1.jpg'));
      writeFileSync(join(images, 'a', '2.jpg'), 'no picture');
      const [page, data] = [join(folder, 'v.html'), `data=${images}`];
      const both = await pipe('views', 'quick/swav', data, '--out', page, '--json');
      const report = JSON.parse(both.stdout);
      assert.deepEqual(report.images.map(({ name }: { name: string }) => name).sort(), ['a/1.jpg', 'a/2.jpg']);
      assert.match(report.images.find(({ name }: { name: string }) => name === 'a/2.jpg').bad, /not an image/);
      assert.match(readFileSync(page, 'utf8'), /a\/2\.jpg · a · bad: /);
      const bank = JSON.parse(
        (await pipe('views', 'quick/swav', data, '--out', page, '--batch', 'bank_batch', '--json')).stdout,
      );
      assert.deepEqual([bank.collator, bank.views], ['bank_batch', [{ height: 32, width: 32 }]]);
      const wrong = await pipe('views', 'quick/swav', '--batch', 'bench', '--out', page);
      assert.equal(wrong.code, 2);
      assert.match(wrong.stderr, /no collator "bench"\. There are: .*bank_batch/);
      assert.match((await pipe('views', 'quick/swav', '--out', 'x.gif')).stderr, /written as \.html or \.png/);
      assert.deepEqual(readdirSync(folder).sort(), ['images', 'v.html']);
    }),
  );
});
