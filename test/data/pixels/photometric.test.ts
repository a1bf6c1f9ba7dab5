import assert from 'node:assert/strict';
import { guardedPixels } from './guarded-arena.ts';
import { forPictures, type Picture, randomPicture } from './picture.ts';
import {
  autocontrast,
  brightness,
  contrast,
  equalize,
  grayscale,
  hue,
  posterize,
  saturation,
  sharpness,
  solarize,
} from './reference.ts';
import { gaussianBlur } from './reference-filters.ts';

const FACTORS = [0, 0.2, 0.5, 1, 1.37, 1.8, 3];

describe('photometric operations equal plain arithmetic at odd sizes and write nowhere else', () => {
  const pixels = guardedPixels();

  function check(picture: Picture, run: (view: ReturnType<typeof pixels.put>) => void, want: Uint8Array, what: string) {
    const view = pixels.put(picture);
    run(view);
    const size = `${picture.width}×${picture.height}×${picture.channels}`;
    assert.deepEqual(Buffer.from(pixels.bytes(view)), Buffer.from(want), `${what} of ${size}`);
    pixels.arena.reset();
  }

  for (const [name, reference] of Object.entries({ brightness, contrast, saturation, sharpness })) {
    const operation = pixels[name as 'brightness'];
    it(name, () => {
      forPictures([1, 3], (p) => {
        for (const factor of FACTORS) {
          check(p, (view) => operation(view, factor), reference(p, factor), `${name} ${factor}`);
        }
      });
    });
  }

  it('hue', () => {
    forPictures([3], (p) => {
      for (const factor of [-0.5, -0.2, -0.001, 0, 0.1, 0.33, 0.5]) {
        check(p, (view) => pixels.hue(view, factor), hue(p, factor), `hue ${factor}`);
      }
    });
  });

  it('hue of every colour on a grid of 52 steps a channel', () => {
    const levels = Array.from({ length: 52 }, (_, i) => i * 5);
    const colours = levels.flatMap((r) => levels.flatMap((g) => levels.flatMap((b) => [r, g, b])));
    const p = { width: 52, height: 52 * 52, channels: 3, pixels: Uint8Array.from(colours) };
    for (const factor of [0, 0.123, -0.31]) {
      check(p, (view) => pixels.hue(view, factor), hue(p, factor), `hue ${factor}`);
    }
  });

  it('grayscale, solarize, posterize, autocontrast', () => {
    forPictures([1, 3], (p) => {
      check(p, (view) => pixels.grayscale(view), grayscale(p), 'grayscale');
      check(p, (view) => pixels.autocontrast(view), autocontrast(p), 'autocontrast');
      for (const t of [0, 1, 128, 128.5, 255, 256]) {
        check(p, (view) => pixels.solarize(view, t), solarize(p, t), `solarize ${t}`);
      }
      for (let bits = 0; bits <= 8; bits++) {
        check(p, (view) => pixels.posterize(view, bits), posterize(p, bits), `posterize ${bits}`);
      }
    });
  });

  it('invert, solarize by adding, equalize', () => {
    forPictures([1, 3], (p) => {
      check(p, (view) => pixels.invert(view), p.pixels.map((v) => 255 - v), 'invert'); // biome-ignore format: one line
      for (const add of [0, 33, 110, 255]) {
        const want = p.pixels.map((v) => (v < 128 ? Math.min(255, v + add) : v));
        check(p, (view) => pixels.solarizeAdd(view, add), want, `add ${add}`);
      }
      if (p.width * p.height < 1000) check(p, (view) => pixels.equalize(view), equalize(p), 'equalize');
    });
    const large = randomPicture(48, 36, 1, 'narrow');
    check(large, (view) => pixels.equalize(view), equalize(large), 'equalize');
    assert.notDeepEqual(equalize(large), large.pixels);
  });

  it('Gaussian blur, also with a radius larger than the picture', () => {
    forPictures([1, 3], (p) => {
      for (const radius of [0, 0.1, 0.7, 2, 7.5, 13, 50, 160]) {
        check(p, (view) => pixels.gaussianBlur(view, radius), gaussianBlur(p, radius), `blur ${radius}`);
      }
    });
  });

  it('takes the mean of 36 million white pixels, more than 32-bit sums hold', () => {
    const [gray, rgb] = [pixels.create(6000, 6000, 1), pixels.create(2100, 2100, 3)];
    for (const view of [gray, rgb]) {
      pixels.bytes(view).fill(255);
      pixels.bytes(view)[0] = 0;
      pixels.contrast(view, 0);
      assert.ok(Buffer.from(pixels.bytes(view)).equals(Buffer.alloc(view.width * view.height * view.channels, 255)));
    }
    pixels.arena.reset();
  });

  it('changes no gray picture by saturation or hue', () => {
    const p = randomPicture(5, 3, 1);
    check(p, (view) => pixels.hue(view, 0.3), p.pixels, 'hue');
    check(p, (view) => pixels.saturation(view, 2), p.pixels, 'saturation');
  });

  it('refuses factors outside their range, and float pictures', () => {
    const view = pixels.put(randomPicture(2, 2, 3));
    assert.throws(() => pixels.brightness(view, -0.1), /factor of brightness is -0.1; expected a number from 0/);
    assert.throws(() => pixels.contrast(view, Number.NaN), /factor of contrast is NaN/);
    assert.throws(() => pixels.hue(view, 0.6), /factor of hue is 0.6; expected a number from -0.5 to 0.5/);
    assert.throws(() => pixels.solarize(view, 257), RangeError);
    assert.throws(() => pixels.posterize(view, 9), RangeError);
    assert.throws(() => pixels.gaussianBlur(view, -1), RangeError);
    assert.throws(() => pixels.hue(pixels.toTensor(view), 0.1), /takes uint8 pixels, not float32: put it before/);
  });

  after(() => assert.ok(pixels.arena.checked > 1000, 'guards were looked at'));
});
