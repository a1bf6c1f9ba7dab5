import assert from 'node:assert/strict';
import type { JitterOperation } from '../../../runtime/data/pixels/sample-jitter.ts';
import type { View } from '../../../runtime/data/sample.ts';
import { inputPicture, type OracleCase, pictureOf, planar, transformCases } from '../oracle.ts';
import { guardedPixels } from './guarded-arena.ts';

const pixels = guardedPixels();

/** What each operation of photometric.json and geometric.json does here; in place: nothing returned. */
const OPERATIONS: Record<string, (view: View, params: any) => unknown> = {
  solarize: (view, { threshold }) => pixels.solarize(view, threshold),
  posterize: (view, { bits }) => pixels.posterize(view, bits),
  autocontrast: (view) => pixels.autocontrast(view),
  sharpness: (view, { factor }) => pixels.sharpness(view, factor),
  brightness: (view, { factor }) => pixels.brightness(view, factor),
  contrast: (view, { factor }) => pixels.contrast(view, factor),
  saturation: (view, { factor }) => pixels.saturation(view, factor),
  hue: (view, { factor }) => pixels.hue(view, factor),
  grayscale3: (view) => pixels.grayscale(view),
  gaussian_blur: (view, { radius }) => pixels.gaussianBlur(view, radius),
  color_jitter: (view, params) => {
    const names = ['brightness', 'contrast', 'saturation', 'hue'] as const;
    const sampled = params.order.map(
      (i: number): JitterOperation => ({ operation: names[i], factor: params[names[i]] }),
    );
    return pixels.jitter(view, sampled);
  },
  hflip: (view) => pixels.flipHorizontal(view),
  rotate: (view, { angle }) => pixels.rotate(view, angle),
  resized_crop: (view, { left, top, width, height, size, interpolation }) =>
    pixels.resize(view, size[1], size[0], { box: { left, top, width, height }, interpolation }),
  resize_smaller_edge: (view, { size, interpolation }) => {
    const wide = view.width > view.height;
    const long = Math.trunc((size * Math.max(view.width, view.height)) / Math.min(view.width, view.height));
    return pixels.resize(view, wide ? long : size, wide ? size : long, { interpolation });
  },
  center_crop: (view, { size: [height, width] }) =>
    pixels.crop(view, Math.round((view.width - width) / 2), Math.round((view.height - height) / 2), width, height),
};

function check(oracle: OracleCase, operate: (view: View) => unknown): void {
  const want = pictureOf(oracle.outputs.image);
  const view = pixels.put(inputPicture(oracle));
  const out = (operate(view) as View | undefined) ?? view;
  assert.deepEqual([out.height, out.width, out.channels], [want.height, want.width, want.channels]);
  // 0 even where the case allows a level of difference
  assert.deepEqual(Buffer.from(pixels.bytes(out)), Buffer.from(want.pixels));
  pixels.arena.reset();
}

describe('recorded results of Pillow and torchvision, every byte equal', () => {
  for (const file of ['photometric', 'geometric']) {
    const cases = transformCases(file);
    for (const oracle of cases) {
      const { op, ...params } = oracle.params;
      it(`${file}: ${op} ${JSON.stringify(params)} of ${oracle.inputs.image ?? 'given pixels'}`, () => {
        if (op === 'resize_larger_side') {
          const { shape } = oracle.outputs.image;
          check(oracle, (view) => pixels.resize(view, shape[1], shape[0], { interpolation: interpolationOf(oracle) }));
        } else {
          assert.ok(OPERATIONS[op], `an operation for ${op}`);
          check(oracle, (view) => OPERATIONS[op](view, params));
        }
      });
    }
  }

  for (const [i, oracle] of transformCases('img_pil_gaussian_blur').entries()) {
    it(`img_pil_gaussian_blur ${i}`, () =>
      check(oracle, (view) => pixels.gaussianBlur(view, oracle.inputs.draw_radius)));
  }

  for (const [i, oracle] of transformCases('img_rotate_pil').entries()) {
    const { num_angles } = oracle.params;
    it(`img_rotate_pil ${i}`, () =>
      check(oracle, (view) => pixels.rotate(view, (oracle.inputs.draw_randint * 360) / num_angles)));
  }

  for (const [i, oracle] of transformCases('img_pil_to_lab_tensor').entries()) {
    it(`img_pil_to_lab_tensor ${i}: equal to float32`, () => {
      const lab = pixels.toLab(pixels.put(inputPicture(oracle)));
      assert.deepEqual(planar(pixels.floats(lab), 3), oracle.outputs.lab.data.map(Math.fround));
      pixels.arena.reset();
    });
  }

  for (const oracle of transformCases('to_tensor').filter(({ params }) => params.op !== 'OneHotEncode')) {
    const { op, mean, std, size, box } = oracle.params;
    it(`to_tensor: ${op} ${JSON.stringify({ size, box })}`, () => {
      const view = pixels.put(inputPicture(oracle));
      if (op === 'MNISTImgPil2RGB') {
        const [width, height] = size.length ? size : [view.width, view.height];
        const out = pixels.toRgb(pixels.crop(view, -box[0], -box[1], width, height));
        assert.deepEqual(Array.from(pixels.bytes(out)), oracle.outputs.image.data);
        return pixels.arena.reset();
      }
      const normalize = mean && { mean, std };
      const out = pixels.toTensor(view, { raw: op === 'ImgPilToRawTensor', normalize });
      assert.deepEqual(planar(pixels.floats(out), 3), oracle.outputs.tensor.data.map(Math.fround));
      pixels.arena.reset();
    });
  }
});

function interpolationOf({ params }: OracleCase) {
  return params.interpolation ?? 'bilinear';
}
