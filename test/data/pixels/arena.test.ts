import assert from 'node:assert/strict';
import { Worker } from 'node:worker_threads';

import { Arena } from '../../../runtime/data/pixels/arena.ts';
import { createPixelMemory } from '../../../runtime/data/pixels/memory.ts';
import { createPixels } from '../../../runtime/data/pixels/pixels.ts';
import { randomPicture } from './picture.ts';

const PAGE = 65536;

describe('arena', () => {
  it('hands out aligned, separate addresses within its region, and takes them back', () => {
    const arena = new Arena(createPixelMemory({ bytes: 4 * PAGE }), { offset: PAGE, bytes: PAGE });
    assert.deepEqual(
      [arena.alloc(1), arena.alloc(17), arena.alloc(0), arena.alloc(1)],
      [PAGE, PAGE + 16, PAGE + 48, PAGE + 48],
    );
    const inner = arena.scratch(() => arena.alloc(100));
    assert.equal(arena.alloc(8), inner, 'scratch is free again');
    assert.throws(
      () =>
        arena.scratch(() => {
          arena.alloc(64);
          throw new Error('inside');
        }),
      /inside/,
    );
    assert.equal(arena.alloc(8), inner + 16, 'also after an error');
    arena.reset();
    assert.equal(arena.alloc(8), PAGE);
  });

  it('grows the memory when a picture needs more, keeps what it got, and reuses it', () => {
    const memory = createPixelMemory({ bytes: PAGE, maximumBytes: 512 * PAGE });
    const arena = new Arena(memory, { offset: 0, bytes: PAGE });
    const first = arena.alloc(100);
    const large = arena.alloc(3 * PAGE);
    assert.ok(large >= PAGE && large + 3 * PAGE <= memory.buffer.byteLength);
    assert.equal(first, 0);
    const size = memory.buffer.byteLength;
    for (let i = 0; i < 100; i++) {
      arena.reset();
      arena.alloc(100);
      assert.equal(arena.alloc(3 * PAGE), large);
    }
    assert.equal(memory.buffer.byteLength, size, 'a second picture of the size takes no more');
    assert.equal(arena.capacity, size);
  });

  it('says so when the memory is at its maximum', () => {
    const memory = createPixelMemory({ bytes: PAGE, maximumBytes: 2 * PAGE });
    const arena = new Arena(memory, { offset: 0, bytes: PAGE });
    assert.throws(
      () => arena.alloc(4 * PAGE),
      /no room for 262144 bytes of pixels: the image memory of 65536 bytes cannot grow/,
    );
    assert.equal(arena.alloc(16), 0, 'and goes on');
  });

  it('refuses regions outside the memory or off alignment, and memories that are not shared', () => {
    const memory = createPixelMemory({ bytes: PAGE });
    assert.throws(() => new Arena(memory, { offset: 16, bytes: PAGE }), /region: bytes 16 to 65552 lie outside/);
    assert.throws(() => new Arena(memory, { offset: 8, bytes: 16 }), /not a multiple of 16/);
    const own = new WebAssembly.Memory({ initial: 1 });
    assert.throws(() => createPixels(own, { offset: 0, bytes: PAGE }), /shared WebAssembly.Memory/);
    assert.throws(() => createPixelMemory({ bytes: 2 ** 33 }), /one memory holds 4 GiB/);
  });

  it('reads nothing beyond the last byte of the memory', () => {
    for (const [width, height, channels] of [
      [1, 1, 3],
      [5, 3, 3],
      [17, 9, 3],
      [7, 5, 1],
    ]) {
      const memory = createPixelMemory({ bytes: 4 * PAGE, maximumBytes: 4 * PAGE });
      const pixels = createPixels(memory, { offset: 0, bytes: 2 * PAGE });
      const picture = randomPicture(width, height, channels);
      const view = pixels.at(4 * PAGE - picture.pixels.length, width, height, channels);
      const restore = () => pixels.bytes(view).set(picture.pixels);
      restore();
      const inside = pixels.put(picture);
      const same = (a: typeof view, b: typeof view) =>
        assert.deepEqual(Array.from(pixels.bytes(a)), Array.from(pixels.bytes(b)));
      for (const interpolation of ['nearest', 'bilinear', 'bicubic'] as const) {
        same(pixels.resize(view, 6, 9, { interpolation }), pixels.resize(inside, 6, 9, { interpolation }));
        same(pixels.resize(view, width, 2, { interpolation }), pixels.resize(inside, width, 2, { interpolation }));
      }
      same(pixels.flipHorizontal(view), pixels.flipHorizontal(inside));
      same(pixels.rotate(view, 33), pixels.rotate(inside, 33));
      same(pixels.toTensor(view), pixels.toTensor(inside));
      same(pixels.toRgb(view), pixels.toRgb(inside));
      const operations = [
        (v: typeof view) => pixels.brightness(v, 0.7),
        (v: typeof view) => pixels.contrast(v, 1.7),
        (v: typeof view) => pixels.saturation(v, 0.4),
        (v: typeof view) => pixels.hue(v, 0.2),
        (v: typeof view) => pixels.grayscale(v),
        (v: typeof view) => pixels.solarize(v, 100),
        (v: typeof view) => pixels.posterize(v, 3),
        (v: typeof view) => pixels.sharpness(v, 1.5),
        (v: typeof view) => pixels.autocontrast(v),
        (v: typeof view) => pixels.gaussianBlur(v, 1.5),
        (v: typeof view) => pixels.gaussianBlur(v, 30),
      ];
      for (const operate of operations) {
        restore();
        const copy = pixels.copy(view);
        operate(view);
        operate(copy);
        same(view, copy);
      }
    }
  });

  it('carries a picture 12,000 pixels wide and a blur of radius 50 out of a small region', () => {
    const memory = createPixelMemory({ bytes: PAGE });
    const pixels = createPixels(memory, { offset: 0, bytes: PAGE });
    const picture = { width: 12_000, height: 40, channels: 3, pixels: new Uint8Array(12_000 * 40 * 3).fill(77) };
    const view = pixels.put(picture);
    pixels.gaussianBlur(view, 50);
    pixels.sharpness(view, 1.5);
    assert.ok(
      pixels.bytes(view).every((v) => v === 77),
      'a flat picture stays flat',
    );
    const small = pixels.resize(view, 96, 96, { interpolation: 'bicubic' });
    assert.ok(pixels.bytes(small).every((v) => v === 77));
    const wide = pixels.resize(small, 12_000, 3);
    assert.ok(pixels.bytes(wide).every((v) => v === 77));
  });
});

describe('several threads on one memory', () => {
  it('work in their own regions, grow at the same time, and give what one thread gives', async () => {
    const threads = 4;
    const bytes = PAGE;
    const memory = createPixelMemory({ bytes: threads * bytes + PAGE });
    const work = new URL('./thread-work.ts', import.meta.url);
    const start = `import('tsx/esm/api').then(({ register }) => { register(); return import('${work}'); })`;
    const hashes = await Promise.all(
      Array.from({ length: threads }, (_, i) => {
        const workerData = { memory, region: { offset: i * bytes, bytes }, slab: threads * bytes + i * 16 };
        const worker = new Worker(start, { eval: true, workerData });
        return new Promise<string>((resolve, reject) => worker.once('message', resolve).once('error', reject));
      }),
    );
    const { hashOfWork } = await import('./thread-work.ts');
    const alone = createPixelMemory({ bytes: 2 * PAGE });
    const expected = hashOfWork(createPixels(alone, { offset: 0, bytes: PAGE }), PAGE);
    assert.deepEqual(hashes, new Array(threads).fill(expected));
  });
});
