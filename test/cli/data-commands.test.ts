import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { findFfmpeg } from '../../runtime/video/ffmpeg.ts';
import { makeVideo } from '../video/numbered.ts';
import { pipe, withFolder } from './support.ts';

const csv = (rows: number, columns: number): string => {
  const names = Array.from({ length: columns }, (_, i) => `embedding_${i}`);
  const row = (i: number) => [`${i}.jpg`, ...names.map((_, j) => Math.sin(i * 7 + j * 3)), i % 3].join(',');
  return `${['filenames', ...names, 'labels'].join(',')}\n${Array.from({ length: rows }, (_, i) => row(i)).join('\n')}\n`;
};

describe('commands about data', function () {
  this.timeout(180_000);

  for (const command of ['data', 'embeddings', 'video']) {
    it(`${command} --help shows an example; a path that is not there ends with 2`, async () => {
      const help = await pipe(command, '--help');
      assert.equal(help.code, 0);
      assert.match(help.stdout, /Example:\n {2}pipe /);
      const { code, stdout, stderr } = await pipe(command, '/does/not/exist');
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, /there is no (folder|file) \/does\/not\/exist/);
    });
  }

  it(
    'data: says what a folder is, for people and for machines',
    withFolder(async (folder) => {
      for (const [name, count] of [
        ['cat', 3],
        ['dog', 1],
      ] as const) {
        mkdirSync(join(folder, name));
        for (let i = 0; i < count; i++) {
          await sharp({ create: { width: 40, height: 30 + i, channels: 3, background: '#123' } })
            .png()
            .toFile(join(folder, name, `${i}.png`));
        }
      }
      writeFileSync(join(folder, 'dog', 'bad.jpg'), 'x');
      const text = await pipe('data', folder);
      assert.equal(text.code, 0, text.stderr);
      assert.match(
        text.stdout,
        /a folder for each class[\s\S]*cat: 3\n[\s\S]*dog: 2[\s\S]*dog\/bad\.jpg: not an image/,
      );
      const report = JSON.parse((await pipe('data', folder, '--json')).stdout);
      assert.deepEqual(report.classes, [{ name: 'cat', images: 3 }, { name: 'dog', images: 2 }]); // biome-ignore format: a table
      assert.deepEqual([report.looked, report.bad.length, report.sizes.height.max], [5, 1, 32]);
      assert.deepEqual(report.node, { type: 'dataset/disk_folder', path: folder });
      assert.match((await pipe('data', folder, '--sample', 'x')).stderr, /--sample is "x"/);
    }),
  );

  it(
    'embeddings: checks, tells, draws, and removes columns on request only',
    withFolder(async (folder) => {
      const file = join(folder, 'e.csv');
      writeFileSync(file, csv(60, 5));
      const plot = join(folder, 'out', 'e.svg');
      const { code, stdout, stderr } = await pipe('embeddings', file, '--plot', plot);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /60 embeddings of 5 dimensions\n {2}labels {3}0 \(20\), 1 \(20\), 2 \(20\)\n {2}spread/);
      assert.match(readFileSync(plot, 'utf8'), /^<svg[\s\S]*component 1 \(\d+\.\d % of the variance\)[\s\S]*60 points/);
      writeFileSync(
        file,
        csv(2, 2)
          .replaceAll(/^(.*),/gm, '$1,9,')
          .replace(',9,labels', ',masked,labels'),
      );
      const report = JSON.parse((await pipe('embeddings', file, '--json')).stdout);
      assert.deepEqual([report.dimensions, report.warnings.length], [3, 1]);
      const cleaned = JSON.parse((await pipe('embeddings', file, '--json', '--remove-additional')).stdout);
      assert.deepEqual([cleaned.dimensions, cleaned.warnings.length], [2, 0]);
      writeFileSync(file, 'filenames,labels,x\n');
      const wrong = await pipe('embeddings', file, '--plot', join(folder, 'x.png'));
      assert.deepEqual([wrong.code, existsSync(join(folder, 'x.png'))], [2, false]);
      writeFileSync(file, csv(3, 2).replace('embedding_1', 'e1'));
      const bad = await pipe('embeddings', file);
      assert.equal(bad.code, 1);
      assert.match(bad.stderr, /^pipe: .*e\.csv: column "e1" stands among the embeddings\. .*\n$/);
    }),
  );

  it(
    'video: lists a folder and prepares it once',
    withFolder(async (folder) => {
      const [videos, out] = [join(folder, 'videos'), join(folder, 'frames')];
      mkdirSync(videos);
      const { path } = await findFfmpeg();
      await makeVideo(path, join(videos, 'a.mp4'), 30, ['-c:v', 'libx264']);
      writeFileSync(join(videos, 'b.mp4'), 'no video');
      const [good, bad] = JSON.parse((await pipe('video', videos, '--json')).stdout);
      assert.deepEqual([good.path, good.frames, good.fps, good.seconds.toFixed(2)], ['a.mp4', 30, 25, '1.20']);
      assert.match(bad.fault, /b\.mp4: it is cut off, or not a video/);
      const made = await pipe('video', videos, '--out', out, '--format', 'jpg', '--folders');
      assert.equal(made.code, 0, made.stderr);
      assert.match(made.stdout, /1 video, 30 frames; 1 left out/);
      assert(existsSync(join(out, 'a.mp4', 'a-29-mp4.jpg')));
      assert.match((await pipe('video', videos, '--out', out, '--format', 'jpg', '--folders')).stdout, /there already/);
      const again = await pipe('video', videos, '--out', join(folder, 'short'), '--as', 'videos', '--json');
      assert.equal(JSON.parse(again.stdout)[0].written, 1);
      assert.match((await pipe('video', videos, '--out', videos)).stderr, /cannot lie in the same folder/);
    }),
  );
});
