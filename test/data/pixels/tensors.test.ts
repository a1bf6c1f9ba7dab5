import assert from 'node:assert/strict';
import { guardedPixels } from './guarded-arena.ts';
import { forPictures, randomPicture } from './picture.ts';

const f = Math.fround;
const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
const GRAY = { mean: [0.1307], std: [0.3081] };

describe('tensors of pictures', () => {
  const pixels = guardedPixels();

  it('are value / 255, less the mean, over the deviation, rounded to float32 at each step', () => {
    forPictures([1, 3], (p) => {
      const { mean, std } = p.channels === 3 ? IMAGENET : GRAY;
      const view = pixels.put(p);
      const scaled = Array.from(p.pixels, (v) => f(v / 255));
      const want = scaled.map((v, i) => f(f(v - f(mean[i % p.channels])) / f(std[i % p.channels])));
      const plain = pixels.toTensor(view);
      assert.deepEqual([plain.dtype, plain.layout, plain.channels], ['float32', 'packed', p.channels]);
      assert.deepEqual(Array.from(pixels.floats(plain)), scaled);
      assert.deepEqual(Array.from(pixels.floats(pixels.toTensor(view, { normalize: { mean, std } }))), want);
      pixels.normalize(plain, { mean, std });
      assert.deepEqual(Array.from(pixels.floats(plain)), want, 'in two steps');
      assert.deepEqual(Array.from(pixels.floats(pixels.toTensor(view, { raw: true }))), Array.from(p.pixels));
      pixels.arena.reset();
    });
  });

  it('are written straight to a batch slab, and to nothing beside it', () => {
    const p = randomPicture(5, 3, 3);
    const slab = pixels.arena.alloc(4 * 45 * 4);
    const view = pixels.put(p);
    const out = pixels.toTensor(view, { to: slab + 45 * 4 });
    assert.equal(out.ptr, slab + 45 * 4);
    const want = Array.from(p.pixels, (v) => f(v / 255));
    assert.deepEqual(Array.from(pixels.floats(out)), want);
    pixels.toTensor(view, { to: slab });
    pixels.toLab(view, { to: slab + 2 * 45 * 4 });
    assert.deepEqual(Array.from(pixels.floats(out)), want, 'neighbours do not touch it');
    assert.equal(pixels.write(view, slab + 3 * 45 * 4), 45);
    assert.deepEqual(Array.from(pixels.bytes(pixels.at(slab + 3 * 45 * 4, 5, 3, 3))), Array.from(p.pixels));
    pixels.arena.reset();
  });

  it('name a destination outside the memory or off alignment, and statistics that do not fit', () => {
    const view = pixels.put(randomPicture(4, 4, 3));
    const end = pixels.arena.memory.buffer.byteLength;
    assert.throws(() => pixels.toTensor(view, { to: end - 100 }), /destination: bytes \d+ to \d+ lie outside/);
    assert.throws(() => pixels.write(view, end - 40), /destination/);
    assert.throws(() => pixels.toTensor(view, { to: 2 }), /not a multiple of 4/);
    assert.throws(() => pixels.toTensor(view, { normalize: GRAY }), /1 means and 1 deviations for a picture of 3/);
    assert.throws(
      () => pixels.toTensor(view, { normalize: { mean: [0, 0, 0], std: [1, 0, 1] } }),
      /std is \[1, 0, 1\]/,
    );
    assert.throws(() => pixels.normalize(view, IMAGENET), /takes float32 pixels, not uint8: put it after to_tensor/);
    assert.throws(() => pixels.toLab(pixels.put(randomPicture(4, 4, 1))), /toLab takes RGB/);
    pixels.arena.reset();
  });
});
