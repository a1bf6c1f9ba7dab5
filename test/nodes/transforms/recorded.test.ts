import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import centerCrop from '../../../nodes/transforms/center_crop.ts';
import gaussianBlur from '../../../nodes/transforms/gaussian_blur.ts';
import mnistRgb from '../../../nodes/transforms/mnist_rgb.ts';
import multiCrop from '../../../nodes/transforms/multi_crop.ts';
import multiCropRandomApply from '../../../nodes/transforms/multi_crop_random_apply.ts';
import normalize from '../../../nodes/transforms/normalize.ts';
import oneHot from '../../../nodes/transforms/one_hot.ts';
import { cutPatches } from '../../../nodes/transforms/patch-grid.ts';
import patches from '../../../nodes/transforms/patches.ts';
import patchesAndImage from '../../../nodes/transforms/patches_and_image.ts';
import replicate from '../../../nodes/transforms/replicate.ts';
import resize from '../../../nodes/transforms/resize.ts';
import resizeLargerSide from '../../../nodes/transforms/resize_larger_side.ts';
import rotate from '../../../nodes/transforms/rotate.ts';
import shufflePatches from '../../../nodes/transforms/shuffle_patches.ts';
import toLab from '../../../nodes/transforms/to_lab.ts';
import toRawTensor from '../../../nodes/transforms/to_raw_tensor.ts';
import toTensor from '../../../nodes/transforms/to_tensor.ts';
import type { PackedPixels, View } from '../../../runtime/data/sample.ts';
import { createRandom } from '../../../runtime/random.ts';
import { npyBytes } from '../../data/npy-bytes.ts';
import { type Case, casesOf, channelsLast, oracleFile, type RecordedTensor } from '../oracle-case.ts';
import { apply, create, facts, factsOf, newPixels, recorded } from './apply.ts';

const pictures = new Map<string, PackedPixels>();

function pictureOf(inputs: { image?: string; pixels?: RecordedTensor }): PackedPixels {
  if (inputs.image !== undefined) return pictures.get(inputs.image)!;
  const { shape, data } = inputs.pixels!;
  const [height, width, channels = 1] = shape;
  return { pixels: Uint8Array.from(data), width, height, channels };
}

const sameBytes = (got: Uint8Array, want: RecordedTensor) => assert.deepEqual(Array.from(got), want.data);

/** NHWC floats of a view after the conversion that to_tensor and normalize left for the end. */
function floats(pixels: ReturnType<typeof newPixels>, view: View): Float32Array {
  const { tensor, ...plain } = view;
  return pixels.floats(view.dtype === 'uint8' ? pixels.toTensor(plain, tensor) : plain);
}

function each(
  file: string,
  check: (recorded: Case, i: number) => void,
  chosen: (c: Case) => boolean = () => true,
): void {
  const cases = casesOf(`transforms/${file}.json`).filter(chosen);
  assert.ok(cases.length > 0);
  cases.forEach((recorded, i) => {
    it(`${file} ${i}: ${JSON.stringify(recorded.params)}`, () => check(recorded, i));
  });
}

describe('transforms give the recorded results', () => {
  let folder: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'transforms-'));
    for (const { inputs, params } of casesOf('transforms/images.json')) {
      const { data, info } = await sharp(oracleFile(`transforms/${inputs.file}`))
        .raw()
        .toBuffer({ resolveWithObject: true });
      pictures.set(params.name, { pixels: data, width: info.width, height: info.height, channels: info.channels });
    }
  });
  after(() => rm(folder, { recursive: true }));

  each('img_pil_gaussian_blur', ({ params, inputs, outputs }) => {
    const { bytes } = apply(
      gaussianBlur,
      { p: params.p, radius: [params.radius_min, params.radius_max] },
      [pictureOf(inputs)],
      { random: () => recorded({ next: [inputs.draw_rand], uniform: [inputs.draw_radius] }) },
    );
    assert.equal(outputs.applied, true);
    sameBytes(bytes[0], outputs.image);
  });

  each('img_rotate_pil', ({ params, inputs, outputs }) => {
    const { sample, bytes } = apply(rotate, params, [pictureOf(inputs)], {
      random: () => recorded({ integer: [inputs.draw_randint] }),
    });
    assert.equal(sample.label, outputs.label);
    sameBytes(bytes[0], outputs.image);
  });

  each(
    'geometric',
    ({ params, inputs, outputs }) => {
      const { bytes, sample } = apply(centerCrop, { size: params.size }, [pictureOf(inputs)]);
      assert.deepEqual([sample.views[0].height, sample.views[0].width], params.size);
      sameBytes(bytes[0], outputs.image);
    },
    ({ params }) => params.op === 'center_crop',
  );

  each(
    'geometric',
    ({ params, inputs, outputs }) => {
      const { op, size, interpolation = 'bilinear' } = params;
      const picture = pictureOf(inputs);
      const { bytes, sample } =
        op === 'resize_larger_side'
          ? apply(resizeLargerSide, { size }, [picture])
          : apply(resize, { size, interpolation }, [picture]);
      assert.deepEqual([sample.views[0].height, sample.views[0].width], outputs.image.shape.slice(0, 2));
      sameBytes(bytes[0], outputs.image);
    },
    ({ params }) => params.op === 'resize_larger_side' || params.op === 'resize_smaller_edge',
  );

  each('img_patches_from_tensor', ({ params, inputs, outputs }) => {
    const { num_patches, patch_jitter } = params;
    const [channels, height, width] = inputs.image.shape;
    const { messages } = facts(patches, { num_patches, patch_jitter }, factsOf([height, width]));
    if (outputs.error) {
      assert.match(messages[0], /higher than wide/);
      return;
    }
    assert.deepEqual(messages, []);
    // a picture of as many channels as there are, each value its own position: patches tell where they were cut
    const pixels = newPixels();
    const view = pixels.create(width, height, 1, 'float32');
    pixels.floats(view).forEach((_, i, all) => {
      all[i] = i;
    });
    const [across, down] = [0, 1].map((axis) => inputs.jitter.data.slice(axis * num_patches, (axis + 1) * num_patches));
    const draws = across.flatMap((x: number, i: number) => [x, down[i]]);
    const cell = Math.floor(height / Math.sqrt(num_patches));
    const grid = { cells: Math.sqrt(num_patches), cell, patch: cell - patch_jitter };
    const cut = cutPatches(pixels, view, grid, recorded({ integer: draws }));
    assert.equal(cut.length, num_patches);
    cut.forEach((patch, i) => {
      const want = outputs.patches[i] as RecordedTensor;
      assert.deepEqual([patch.height, patch.width], want.shape.slice(1));
      const first = Array.from(channelsLast(want)).filter((_, at) => at % channels === 0);
      const source = channelsLast(inputs.image);
      const got = Array.from(pixels.floats(patch), (at) => source[at * channels]);
      assert.deepEqual(got, first);
    });
  });

  each('img_pil_to_patches_and_image', ({ params, inputs, outputs }) => {
    const before = factsOf([inputs.input_size_wh?.[1] ?? 260, inputs.input_size_wh?.[0] ?? 300]);
    const { after, messages } = facts(patchesAndImage, params, before);
    if (outputs.error) {
      assert.match(messages[0], /not a square number/);
      return;
    }
    assert.deepEqual(messages, []);
    if (!outputs.sizes_wh) return;
    assert.deepEqual(
      after.views.map(([[h], [w]]) => [w, h]),
      outputs.sizes_wh,
    );
    const [width, height] = inputs.input_size_wh;
    const { sample } = apply(patchesAndImage, params, [
      { pixels: new Uint8Array(width * height * 3), width, height, channels: 3 },
    ]);
    assert.deepEqual(
      sample.views.map((view) => [view.width, view.height]),
      outputs.sizes_wh,
    );
  });

  each('shuffle_img_patches', ({ inputs, outputs }, i) => {
    const perm_file = join(folder, `perms${i}.npy`);
    writeFileSync(perm_file, npyBytes('<i8', inputs.perms.shape, inputs.perms.data));
    const pixels = newPixels();
    const transform = create(shufflePatches, { perm_file }, pixels);
    assert.ok('sample' in transform);
    const views = inputs.patches.map((patch: RecordedTensor) => {
      const [channels, height, width] = patch.shape;
      const view = pixels.create(width * channels, height, 1, 'float32'); // rows of whole pixels
      pixels.floats(view).set(channelsLast(patch));
      return view;
    });
    const sample = { views, label: -1, index: 0, valid: true };
    const [row] = [outputs.label].flat().flatMap((label: any) => label.data ?? label);
    transform.sample(sample, recorded({ integer: [row] }));
    assert.equal(sample.label, row);
    const stacked = [outputs.patches ?? outputs.data].flat()[0] as RecordedTensor;
    assert.deepEqual(
      sample.views.flatMap((view: View) => Array.from(pixels.floats(view))),
      Array.from(channelsLast(stacked)),
    );
  });

  each('to_tensor', ({ params, inputs, outputs, tolerance = 0 }) => {
    const pixels = newPixels();
    const { op, mean, std } = params;
    if (op === 'OneHotEncode') {
      inputs.label.forEach((label: number[], i: number) => {
        const transform = create(oneHot, { num_classes: params.num_classes }, pixels);
        assert.ok('sample' in transform);
        const sample = { views: [], label: label.length === 1 ? label[0] : label, index: 0, valid: true };
        transform.sample(sample, createRandom(0));
        assert.deepEqual(sample.label, outputs.label[i].data);
      });
      return;
    }
    const picture = pictureOf(inputs);
    if (op === 'MNISTImgPil2RGB') {
      const size = params.size.length > 0 ? { size: params.size } : {};
      const { bytes } = apply(mnistRgb, { ...size, box: params.box }, [picture]);
      sameBytes(bytes[0], outputs.image);
      return;
    }
    const through = (type: any, given: Record<string, unknown>, view: View) => {
      const transform = create(type, given, pixels);
      assert.ok('view' in transform);
      return transform.view(view, createRandom(0), 0) as View;
    };
    let view = through(op === 'ImgPilToRawTensor' ? toRawTensor : toTensor, {}, pixels.put(picture));
    const alone = op === 'ToTensor+Normalize' ? through(normalize, { mean, std }, pixels.put(picture)) : undefined;
    if (alone) view = through(normalize, { mean, std }, view);
    const want = channelsLast(outputs.tensor);
    const got = floats(pixels, view);
    assert.equal(got.length, want.length);
    want.forEach((value, i) => {
      assert.ok(Math.abs(got[i] - value) <= tolerance * (1 + Math.abs(value)), `${i}: ${got[i]}, not ${value}`);
    });
    // normalize takes bytes too, and divides by 255 itself
    if (alone) assert.deepEqual(floats(pixels, alone), got);
  });

  each('img_pil_to_lab_tensor', ({ inputs, outputs, tolerance = 1 }) => {
    const pixels = newPixels();
    const { sample } = apply(toLab, {}, [pictureOf(inputs)], { pixels });
    const want = channelsLast(outputs.lab);
    pixels.floats(sample.views[0]).forEach((value, i) => {
      assert.ok(Math.abs(value - want[i]) <= tolerance, `${i}: ${value}, not ${want[i]}`);
    });
  });
});

describe('transforms keep the books as recorded', () => {
  /** red 10·k marks source image k */
  const sources = (sizes: number[][]): PackedPixels[] =>
    sizes.map(([width, height], k) => {
      const pixels = new Uint8Array(width * height * 3);
      for (let i = 0; i < pixels.length; i += 3) pixels[i] = 10 * k;
      return { pixels, width, height, channels: 3 };
    });
  const types = { ImgPilResizeLargerSide: resizeLargerSide };

  each('ssl_transforms_wrapper', ({ params: { name, ...given }, inputs, outputs }) => {
    const chosen: Record<string, [any, Record<string, unknown>]> = {
      ImgReplicatePil: [replicate, given],
      ImgRotatePil: [rotate, given],
      ImgPilResizeLargerSide: [resizeLargerSide, given],
      ImgPilToMultiCrop: [multiCrop, given],
      ImgPilMultiCropRandomApply: [
        multiCropRandomApply,
        { prob: given.prob, transforms: given.transforms?.map((inner: any) => ({ ...inner, transform: inner.name })) },
      ],
    };
    const [type, params] = chosen[name];
    const draws = inputs.draws ? recorded({ integer: inputs.draws }) : undefined;
    const { sample, bytes } = apply(type, params, sources(inputs.sizes_wh), {
      label: inputs.label.at(-1),
      types,
      ...(draws ? { random: () => draws } : {}),
    });
    assert.equal(sample.views.length, outputs.num_data);
    assert.deepEqual(
      sample.views.map(({ width, height }) => [width, height]),
      outputs.sizes_wh,
    );
    const { after, messages } = facts(
      type,
      params,
      factsOf(...inputs.sizes_wh.map(([w, h]: number[]) => [h, w])),
      types,
    );
    assert.deepEqual(messages, []);
    assert.deepEqual(
      after.views.map(([[h], [w]]) => [w, h]),
      outputs.sizes_wh,
    );
    assert.deepEqual(
      bytes.map(([red]) => red),
      outputs.red_of_pixel_0_0,
    );
    assert.equal(sample.label, outputs.label.at(-1));
  });
});

describe('transform/multi_crop', () => {
  each('img_pil_to_multicrop', ({ params: { image_wh, ...given }, outputs }) => {
    const [width, height] = image_wh ?? [320, 240];
    const { after, messages } = facts(multiCrop, given, factsOf([height, width]));
    if (outputs.error) {
      assert.match(messages[0], /total_num_crops is 5|give one entry per size/);
      return;
    }
    assert.deepEqual(messages, []);
    assert.deepEqual(
      after.views.map(([[h], [w]]) => [w, h]),
      outputs.crop_sizes_wh,
    );
    const picture = { pixels: new Uint8Array(width * height * 3), width, height, channels: 3 };
    const { sample } = apply(multiCrop, given, [picture]);
    assert.deepEqual(
      sample.views.map((view) => [view.width, view.height]),
      outputs.crop_sizes_wh,
    );
  });
});
