import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { sampleResizedCrop } from '../../../runtime/data/pixels/sample-crop.ts';
import type { PackedPixels } from '../../../runtime/data/sample.ts';
import type { NodeType } from '../../../runtime/node.ts';
import { createRandom } from '../../../runtime/random.ts';
import { picturePixels } from '../../data/fixtures.ts';
import { npyBytes } from '../../data/npy-bytes.ts';
import { casesOf } from '../oracle-case.ts';
import { apply, facts, factsOf, RGB } from './apply.ts';

const folder = new URL('../../../nodes/transforms/', import.meta.url);
const temporary = mkdtempSync(join(tmpdir(), 'perms-'));
const perms = join(temporary, 'perms.npy');
writeFileSync(perms, npyBytes('<i4', [2, 2], [1, 0, 0, 1]));

const picture = (width: number, height: number, seed = 0): PackedPixels => ({
  pixels: picturePixels(width, height, seed),
  width,
  height,
  channels: 3,
});

/** Params that make each transform do something; transforms that are not named take no params. */
const PARAMS: Record<string, Record<string, unknown>> = {
  center_crop: { size: [30, 50] },
  color_jitter: { brightness: 0.4, contrast: [0.6, 1.4], saturation: 0.4, hue: 0.2 },
  mnist_rgb: { size: [70, 60], box: [-3, 5] },
  multi_crop: {
    num_crops: [2, 1],
    size_crops: [20, 9],
    crop_scales: [
      [0.2, 1],
      [0.05, 0.2],
    ],
  },
  multi_crop_random_apply: { prob: [1, 0.5], transforms: [{ transform: 'random_grayscale', p: 1 }] },
  normalize: { preset: 'imagenet' },
  one_hot: { num_classes: 4 },
  patches: { num_patches: 4, patch_jitter: 3 },
  patches_and_image: { crop_size_image: 24, crop_size_patches: 60, num_patches: 4, patch_jitter: 4 },
  random_apply: { p: 0.9, transforms: [{ transform: 'gaussian_blur', p: 1 }, { transform: 'random_solarize' }] },
  random_crop: { size: 16, padding: 2 },
  random_resized_crop: { size: [18, 25] },
  resize: { size: 33 },
  resize_larger_side: { size: 21 },
  shuffle_patches: { perm_file: perms },
};

const types: Record<string, NodeType> = {};

describe('every transform', () => {
  before(async () => {
    for (const name of readdirSync(folder)) {
      const { default: type } = (await import(new URL(name, folder).href)) as { default?: NodeType };
      if (type) types[name.replace(/\.ts$/, '')] = type;
    }
    assert.ok(Object.keys(types).length >= 30);
  });
  after(() => rmSync(temporary, { recursive: true }));

  it('is named after its file, and says what it does', () => {
    for (const [name, type] of Object.entries(types)) {
      assert.equal(type.type, `transform/${name}`);
      assert.match(type.description, /\.$/);
    }
  });

  it('makes what its facts say, of pictures of any size', () => {
    const sides = fc.tuple(fc.integer({ min: 28, max: 90 }), fc.integer({ min: 0, max: 40 }));
    fc.assert(
      fc.property(sides, fc.integer({ min: 0, max: 1000 }), ([height, more], seed) => {
        const width = height + more; // a grid of patches needs a picture that is not higher than wide
        for (const [name, type] of Object.entries(types)) {
          const before = { ...factsOf([height, width], [height, width]), labelled: true };
          const { after, messages } = facts(type, PARAMS[name] ?? {}, before, types);
          assert.deepEqual(messages, [], name);
          const { sample } = apply(type, PARAMS[name] ?? {}, [picture(width, height), picture(width, height, 1)], {
            random: (position) => createRandom(seed, position),
            label: 1,
            types,
          });
          const made = sample.views.map((view) => [view.height, view.width, view.channels]);
          assert.deepEqual(
            made,
            after.views.map((view) => view.map((dim) => dim[0])),
            name,
          );
          const floats = sample.views.every((view) => view.dtype === 'float32' || view.tensor !== undefined);
          assert.equal(floats, after.dtype === 'float32', name);
          const label = Array.isArray(sample.label) ? sample.label.length : 1;
          assert.equal(label, after.labelSize ?? 1, name);
        }
      }),
      { numRuns: 12 },
    );
  });

  it('gives the same values for the same draws, and leaves its input where it makes new pictures', () => {
    for (const [name, type] of Object.entries(types)) {
      const run = () =>
        apply(type, PARAMS[name] ?? {}, [picture(70, 60), picture(70, 60, 1)], {
          random: (position) => createRandom(5, position),
          label: 1,
          types,
        });
      const [one, two] = [run(), run()];
      assert.deepEqual(one.bytes, two.bytes, name);
      assert.deepEqual(one.sample.label, two.sample.label, name);
    }
  });

  it('reports what comes too late for it, and views that are not there', () => {
    const needsBytes = [
      'multi_crop',
      'color_distortion',
      'gaussian_blur',
      'resize',
      'random_solarize',
      'rotate',
      'to_lab',
    ];
    for (const name of needsBytes) {
      const { problems } = facts(types[name], PARAMS[name] ?? {}, { ...factsOf([70, 70]), dtype: 'float32' }, types);
      assert.match(problems[0].cure ?? '', /before transform\/to_tensor/, name);
    }
    assert.match(facts(types.to_tensor, {}, { ...RGB, dtype: 'float32' }).messages[0], /floats already/);
    for (const [name, type] of Object.entries(types)) {
      if (!('indices' in type.params.properties)) continue;
      const { problems } = facts(type, { ...PARAMS[name], indices: [2] }, factsOf([70, 70], [70, 70]), types);
      assert.ok(
        problems.some(({ at, message }) => at === 'indices' && /no view 2/.test(message)),
        name,
      );
    }
  });
});

describe('chances', () => {
  /** Share of 3000 draws in which the picture comes out changed. */
  const share = (type: NodeType, params: Record<string, unknown>): number => {
    const small = picture(8, 8);
    const pictures = Array.from({ length: 3000 }, () => small);
    const { bytes } = apply(type, params, pictures, { random: (position) => createRandom(1, position), types });
    return bytes.filter((made) => Buffer.compare(made, small.pixels) !== 0).length / 3000;
  };
  const near = (got: number, want: number) => assert.ok(Math.abs(got - want) < 0.035, `${got}, not ${want}`);

  it('are those of the params', () => {
    near(share(types.random_horizontal_flip, { p: 0.3 }), 0.3);
    near(share(types.random_vertical_flip, {}), 0.5);
    near(share(types.random_grayscale, { p: 0.2 }), 0.2);
    near(share(types.gaussian_blur, { p: 0.4, radius: [1, 2] }), 0.4);
    near(share(types.random_color_jitter, { p: 0.8 }), 0.8);
    // jitter with 0.8, gray with 0.2, independently
    near(share(types.color_distortion, {}), 1 - 0.2 * 0.8);
    near(share(types.random_apply, { p: 0.25, transforms: [{ transform: 'random_grayscale', p: 1 }] }), 0.25);
    assert.equal(share(types.gaussian_blur, { p: 0 }), 0);
    assert.equal(share(types.random_horizontal_flip, { p: 1 }), 1);
  });

  it('belong to each view for itself in multi_crop_random_apply', () => {
    const pictures = [picture(8, 8), picture(8, 8)];
    let [first, second] = [0, 0];
    for (let seed = 0; seed < 2000; seed++) {
      const { bytes } = apply(
        types.multi_crop_random_apply,
        { prob: [0, 0.2], transforms: [{ transform: 'random_solarize', p: 1, threshold: [0, 0] }] },
        pictures,
        { random: (position) => createRandom(seed, position), types },
      );
      if (Buffer.compare(bytes[0], pictures[0].pixels) !== 0) first++;
      if (Buffer.compare(bytes[1], pictures[1].pixels) !== 0) second++;
    }
    assert.equal(first, 0);
    near(second / 2000, 0.2);
  });

  it('refuse transforms inside others that change labels, the number of views, or by chance their size', () => {
    const inside = (transform: Record<string, unknown>, p = 0.5) =>
      facts(types.random_apply, { p, transforms: [transform] }, factsOf([9, 9]), types);
    assert.deepEqual(inside({ transform: 'resize', size: 4 }, 1).after.views, factsOf([4, 4]).views);
    assert.match(
      inside({ transform: 'resize', size: 4 }).messages[0],
      /view 0 would be 4×4×3 with probability 0\.5, and 9×9×3 else/,
    );
    assert.deepEqual(inside({ transform: 'resize', size: 4 }, 0).after.views, factsOf([9, 9]).views);
    assert.deepEqual(inside({ transform: 'resize', size: [9, 9] }).messages, []);
    assert.match(inside({ transform: 'rotate' }).messages[0], /makes labels cannot stand inside/);
    assert.match(inside({ transform: 'replicate' }).messages[0], /makes several views cannot stand inside/);
    assert.match(inside({ transform: 'center_crop', size: 4, indices: [3] }).messages[0], /there is no view 3/);
  });
});

describe('random resized crops', () => {
  casesOf('transforms/img_pil_to_multicrop.json')
    .filter(({ outputs }) => outputs.distribution_per_crop_type)
    .forEach(({ params, outputs, tolerance = 0.02 }, i) => {
      it(`cover and stretch as recorded ${i}`, () => {
        const [width, height] = params.image_wh;
        outputs.distribution_per_crop_type.forEach((recorded: any, type: number) => {
          const random = createRandom(type);
          const boxes = Array.from({ length: 20000 }, () =>
            sampleResizedCrop(random, width, height, recorded.scale, recorded.ratio),
          );
          const quantiles = (values: number[]) => {
            const sorted = values.sort((a, b) => a - b);
            return recorded.quantile_levels.map((level: number) => sorted[Math.floor(level * (sorted.length - 1))]);
          };
          const areas = quantiles(boxes.map((box) => (box.width * box.height) / (width * height)));
          const aspects = quantiles(boxes.map((box) => box.width / box.height));
          areas.forEach((area: number, k: number) => {
            assert.ok(Math.abs(area - recorded.area_fraction_quantiles.data[k]) <= tolerance, `area ${area}`);
            const wanted = recorded.aspect_w_over_h_quantiles.data[k];
            assert.ok(Math.abs(aspects[k] / wanted - 1) <= tolerance, `aspect ${aspects[k]}, not ${wanted}`);
          });
        });
      });
    });
});
