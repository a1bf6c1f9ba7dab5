import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import tensorboard from '../../../nodes/hooks/tensorboard.ts';
import type { NodeType } from '../../../runtime/node.ts';
import { classifier, runDocument, withFolder } from '../../engine/fixtures/graph.ts';
import { type ReadEvent, readEvents } from '../../tensorboard/read-events.ts';

const EXTRA = [tensorboard as NodeType];

async function eventsOf(out: string): Promise<ReadEvent[][]> {
  const folder = join(out, 'tensorboard');
  const files = (await readdir(folder)).sort();
  return Promise.all(files.map(async (name) => readEvents(await readFile(join(folder, name)))));
}

describe('hook/tensorboard', () => {
  it('writes curves, metrics and histograms at their moments', () =>
    withFolder(async (out) => {
      const hook = { type: 'hook/tensorboard', log_params_every_n_iters: 4 };
      await runDocument(classifier({ hooks: [hook] }), out, { extra: EXTRA });
      const [events] = await eventsOf(out);
      const steps = (tag: string) => events.filter((event) => event.tag === tag).map(({ step }) => step);
      // 2 epochs of 6 iterations
      assert.deepEqual(steps('Training/Loss'), [1, 5, 10]);
      assert.deepEqual(steps('Speed/img_per_sec_per_gpu'), [1, 5, 10]);
      assert.deepEqual(steps('Metrics/train_loss'), [6, 12]);
      const weight = 'head.clf.weight';
      assert.deepEqual(steps(`Parameters/${weight}`), [-1, 4, 0, 8, 12, 1]);
      assert.deepEqual(steps(`Gradients/${weight}`), [4, 0, 8, 12, 1]);
      const histogram = events.find(({ tag }) => tag === `Parameters/${weight}`)!.histogram!;
      assert.equal(histogram.num, 40);
      const losses = events.filter(({ tag }) => tag === 'Training/Loss').map(({ value }) => value!);
      assert.ok(losses.every((loss) => loss > 0));
      const rate = events.find(({ tag }) => tag === 'Training/Learning_rate')!.value!;
      assert.ok(Math.abs(rate - 0.1) < 1e-6);
    }));

  it('keeps to curves when histograms are not wanted', () =>
    withFolder(async (out) => {
      const hook = { type: 'hook/tensorboard', log_params: false, log_params_gradients: false };
      await runDocument(classifier({ hooks: [hook], run: { epochs: 1 } }), out, { extra: EXTRA });
      const [events] = await eventsOf(out);
      assert.ok(events.some(({ tag }) => tag === 'Training/Loss'));
      assert.ok(!events.some(({ histogram }) => histogram));
    }));

  it('draws the first images of each pass when asked', () =>
    withFolder(async (out) => {
      const hook = {
        type: 'hook/tensorboard',
        log_params: false,
        log_params_gradients: false,
        images: 'batch.images',
        num_images: 3,
      };
      await runDocument(classifier({ hooks: [hook] }), out, { extra: EXTRA });
      const [events] = await eventsOf(out);
      const images = events.filter(({ image }) => image);
      assert.deepEqual(images.map(({ tag }) => tag), ['Images/train', 'Images/train']); // biome-ignore format: one line
      assert.ok(images[0].step < images[1].step);
      const { width, height, png } = images[0].image!;
      const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
      // two across and two down of 16 pixels, with a gap of 4
      assert.deepEqual([width, height, info.width, info.height, info.channels], [44, 44, 44, 44, 3]);
      assert.ok(new Set(data).size > 3, 'something is drawn');
    }));

  it('says after a resume from where on older steps do not count', () =>
    withFolder(async (out) => {
      const stop = new AbortController();
      const hooks = [{ type: 'hook/tensorboard' }];
      const first = await runDocument(classifier({ hooks }), out, {
        extra: EXTRA,
        signal: stop.signal,
        onEvent: (event) => {
          if (event.type === 'step' && event.progress.iteration === 3) stop.abort();
        },
      });
      assert.equal(first.status, 'stopped');
      await runDocument(classifier({ hooks }), out, { extra: EXTRA });
      const all = (await eventsOf(out)).flat();
      assert.deepEqual(
        all.filter(({ restart }) => restart).map(({ step }) => step),
        [4],
      );
      assert.deepEqual(
        all.filter(({ tag }) => tag === 'Training/Loss').map(({ step }) => step),
        [1, 5, 10],
      );
    }));
});
