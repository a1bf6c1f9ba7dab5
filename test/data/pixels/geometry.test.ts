import assert from 'node:assert/strict';
import fc from 'fast-check';
import { inverseRotation } from '../../../runtime/data/pixels/geometry.ts';
import type { View } from '../../../runtime/data/sample.ts';
import { guardedPixels } from './guarded-arena.ts';
import { forPictures, type Picture, randomPicture } from './picture.ts';
import { affine, build, resize } from './reference-filters.ts';

describe('geometry equals plain arithmetic at odd sizes and writes nowhere else', () => {
  const pixels = guardedPixels();

  /** Runs an operation, compares, and sees that its input is unchanged. */
  function check(picture: Picture, run: (view: View) => View, width: number, height: number, want: Uint8Array): void {
    const view = pixels.put(picture);
    const out = run(view);
    assert.deepEqual([out.width, out.height, out.channels], [width, height, picture.channels]);
    assert.deepEqual(Buffer.from(pixels.bytes(out)), Buffer.from(want));
    assert.deepEqual(Buffer.from(pixels.bytes(view)), Buffer.from(picture.pixels), 'the input stays');
    pixels.arena.reset();
  }

  const size = fc.integer({ min: 1, max: 40 });
  const share = fc.double({ min: 0, max: 1, noNaN: true });

  for (const interpolation of ['nearest', 'bilinear', 'bicubic'] as const) {
    it(`resize ${interpolation} of any box to any size, mirrored or not`, () => {
      fc.assert(
        fc.property(
          fc.tuple(size, size, fc.constantFrom(1, 3), size, size, fc.boolean(), fc.tuple(share, share, share, share)),
          ([width, height, channels, outWidth, outHeight, flip, [a, b, c, d]]) => {
            const picture = randomPicture(width, height, channels, a < 0.5 ? 'noise' : 'edges');
            const boxWidth = 1 + Math.floor(a * (width - 1));
            const boxHeight = 1 + Math.floor(b * (height - 1));
            const left = Math.floor(c * (width - boxWidth));
            const top = Math.floor(d * (height - boxHeight));
            const box = { left, top, width: boxWidth, height: boxHeight };
            const want = resize(picture, outWidth, outHeight, box, interpolation, flip);
            const options = { box, flip, interpolation };
            check(picture, (view) => pixels.resize(view, outWidth, outHeight, options), outWidth, outHeight, want);
          },
        ),
        { numRuns: 300, seed: 11 },
      );
    });
  }

  it('resizes the whole picture bilinearly by default', () => {
    const picture = randomPicture(20, 11, 3);
    const box = { left: 0, top: 0, width: 20, height: 11 };
    check(picture, (view) => pixels.resize(view, 7, 7), 7, 7, resize(picture, 7, 7, box, 'bilinear', false));
  });

  it('mirrors in both directions, uint8 and float32', () => {
    forPictures([1, 3], (p) => {
      const { width, height, channels } = p;
      const at = (x: number, y: number, c: number) => p.pixels[(y * width + x) * channels + c];
      const mirrored = build(width, height, channels, (x, y, c) => at(width - 1 - x, y, c));
      const turned = build(width, height, channels, (x, y, c) => at(x, height - 1 - y, c));
      check(p, (view) => pixels.flipHorizontal(view), width, height, mirrored);
      check(p, (view) => pixels.flipVertical(view), width, height, turned);
      const floats = pixels.toTensor(pixels.put(p), { raw: true });
      assert.deepEqual(Array.from(pixels.floats(pixels.flipHorizontal(floats))), Array.from(mirrored));
      assert.deepEqual(Array.from(pixels.floats(pixels.flipVertical(floats))), Array.from(turned));
      pixels.arena.reset();
    });
  });

  it('crops any box and fills what lies outside', () => {
    fc.assert(
      fc.property(
        fc.tuple(
          size,
          size,
          fc.constantFrom(1, 3),
          fc.integer({ min: -50, max: 50 }),
          fc.integer({ min: -50, max: 50 }),
        ),
        fc.tuple(size, size, fc.integer({ min: 0, max: 255 })),
        ([width, height, channels, left, top], [w, h, fill]) => {
          const p = randomPicture(width, height, channels);
          const inside = (x: number, y: number) => x >= 0 && y >= 0 && x < width && y < height;
          const want = build(w, h, channels, (x, y, c) =>
            inside(x + left, y + top) ? p.pixels[((y + top) * width + x + left) * channels + c] : fill,
          );
          check(p, (view) => pixels.crop(view, left, top, w, h, fill), w, h, want);
        },
      ),
      { numRuns: 300, seed: 12 },
    );
  });

  it('crops float32 pictures', () => {
    const p = randomPicture(6, 5, 3);
    const cropped = pixels.crop(pixels.toTensor(pixels.put(p), { raw: true }), 2, 1, 3, 2);
    const want = build(3, 2, 3, (x, y, c) => p.pixels[((y + 1) * 6 + x + 2) * 3 + c]);
    assert.deepEqual(Array.from(pixels.floats(cropped)), Array.from(want));
    pixels.arena.reset();
  });

  it('rotates by quarter turns exactly, and keeps the canvas', () => {
    forPictures([1, 3], (p) => {
      const { width, height, channels } = p;
      const at = (x: number, y: number, c: number) => p.pixels[(y * width + x) * channels + c];
      check(p, (view) => pixels.rotate(view, 0), width, height, p.pixels);
      check(
        p,
        (view) => pixels.rotate(view, -540),
        width,
        height,
        build(width, height, channels, (x, y, c) => at(width - 1 - x, height - 1 - y, c)),
      );
      if (width !== height) return;
      check(
        p,
        (view) => pixels.rotate(view, 90),
        width,
        height,
        build(width, width, channels, (x, y, c) => at(width - 1 - y, x, c)),
      );
      check(
        p,
        (view) => pixels.rotate(view, 270),
        width,
        height,
        build(width, width, channels, (x, y, c) => at(y, width - 1 - x, c)),
      );
    });
  });

  it('rotates a picture longer than 16.16 fixed point reaches', () => {
    const p = randomPicture(33_001, 2, 1);
    const want = build(33_001, 2, 1, (x, y) => p.pixels[(1 - y) * 33_001 + 33_000 - x]);
    check(p, (view) => pixels.rotate(view, 180), 33_001, 2, want);
  });

  it('maps affinely with interpolation, filled where nothing lies', () => {
    const unit = { ax: 1, bx: 0, cx: 0, ay: 0, by: 1, cy: 0 };
    const matrices = [
      unit,
      { ...unit, bx: 0.3 },
      { ...unit, ay: -0.21 },
      { ...unit, cx: 3.45, cy: -2.1 },
      inverseRotation(27, 16, 15),
      { ...unit, cx: 1e6 },
    ];
    forPictures([1, 3], (p) => {
      for (const matrix of matrices) {
        for (const interpolation of ['bilinear', 'bicubic'] as const) {
          const want = affine(p, matrix, interpolation === 'bicubic', 77);
          check(p, (view) => pixels.affine(view, matrix, { interpolation, fill: 77 }), p.width, p.height, want);
        }
      }
    });
  });

  it('makes three channels of one', () => {
    const p = randomPicture(5, 7, 1);
    const out = pixels.toRgb(pixels.put(p));
    assert.deepEqual(
      Array.from(pixels.bytes(out)),
      Array.from(p.pixels).flatMap((v) => [v, v, v]),
    );
    assert.equal(pixels.toRgb(out), out);
    pixels.arena.reset();
  });

  it('names what is wrong with a box or a size', () => {
    const view = pixels.put(randomPicture(8, 6, 3));
    const box = { left: 4, top: 0, width: 5, height: 6 };
    assert.throws(() => pixels.resize(view, 4, 4, { box }), /box 5×6 at \(4, 0\) leaves the picture of 8×6/);
    assert.throws(() => pixels.resize(view, 0, 4), /picture of 0×4 pixels/);
    assert.throws(() => pixels.resize(view, 2.5, 4), RangeError);
    assert.throws(() => pixels.crop(view, 0.5, 0, 2, 2), /expected whole numbers/);
    assert.throws(() => pixels.rotate(view, Number.POSITIVE_INFINITY), RangeError);
    assert.throws(() => pixels.put({ ...randomPicture(2, 2, 3), height: 3 }), /18 bytes, not 12/);
    assert.throws(() => pixels.create(2, 2, 4), /1 or 3 channels, not 4/);
  });

  after(() => assert.ok(pixels.arena.checked > 1000, 'guards were looked at'));
});
