import type { Kernels } from '../kernels/kernels.ts';
import type { View } from '../sample.ts';
import type { Arena } from './arena.ts';
import { autocontrastTables } from './autocontrast.ts';
import { equalizeTables } from './equalize.ts';
import type { JitterOperation } from './sample-jitter.ts';
import { expectKind, expectNumber, viewBytes } from './view.ts';

const pixelsOf = (view: View) => view.width * view.height;

/**
 * Colour operations of Pillow's ImageEnhance and ImageOps and of torchvision on PIL images, **in place** on uint8
 * views: copy first what must stay. Enhancement factors are at least 0; 1 changes nothing.
 */
export function photometric(kernels: Kernels, arena: Arena) {
  const withSpare = (bytes: number, work: (spare: number) => void) => arena.scratch(() => work(arena.alloc(bytes)));
  const expect = (view: View, name: string) => expectKind(view, 'uint8', name);
  const expectFactor = (factor: number, name: string) =>
    expectNumber(factor, 0, Number.MAX_VALUE, `the factor of ${name}`);

  const operations = {
    /** Blends with black. */
    brightness(view: View, factor: number): void {
      expect(view, 'brightness');
      expectFactor(factor, 'brightness');
      withSpare(16, (spare) => kernels.blendConstant(view.ptr, viewBytes(view), 0, factor, spare));
    },

    /** Blends with the mean luma, rounded to a byte. */
    contrast(view: View, factor: number): void {
      expect(view, 'contrast');
      expectFactor(factor, 'contrast');
      withSpare(144, (spare) => {
        const mean = kernels.lumaSum(view.ptr, pixelsOf(view), view.channels, spare) / pixelsOf(view);
        kernels.blendConstant(view.ptr, viewBytes(view), Math.floor(mean + 0.5), factor, spare);
      });
    },

    /** Blends with the picture's own luma; a gray picture stays as it is. */
    saturation(view: View, factor: number): void {
      expect(view, 'saturation');
      expectFactor(factor, 'saturation');
      if (view.channels === 1) return;
      withSpare(144, (spare) => kernels.saturation(view.ptr, pixelsOf(view), factor, spare));
    },

    /** Shifts the 8-bit hue by trunc(255·factor), factor from -0.5 to 0.5; a gray picture stays as it is. */
    hue(view: View, factor: number): void {
      expect(view, 'hue');
      expectNumber(factor, -0.5, 0.5, 'the factor of hue');
      if (view.channels === 1) return;
      withSpare(304, (spare) => kernels.hue(view.ptr, pixelsOf(view), Math.trunc(factor * 255) & 255, spare));
    },

    /** Three equal channels of luma, (19595 R + 38470 G + 7471 B + 32768) >> 16; a gray picture stays as it is. */
    grayscale(view: View): void {
      expect(view, 'grayscale');
      if (view.channels === 1) return;
      withSpare(144, (spare) => kernels.grayscale(view.ptr, pixelsOf(view), spare));
    },

    /** Inverts every byte at or above the threshold, 0 to 256. */
    solarize(view: View, threshold: number): void {
      expect(view, 'solarize');
      expectNumber(threshold, 0, 256, 'the threshold of solarize');
      withSpare(16, (spare) => kernels.solarize(view.ptr, viewBytes(view), Math.ceil(threshold), spare));
    },

    /** Keeps the top `bits` bits of every byte, 0 to 8. */
    posterize(view: View, bits: number): void {
      expect(view, 'posterize');
      expectNumber(bits, 0, 8, 'the bits of posterize');
      kernels.maskBytes(view.ptr, viewBytes(view), 256 - 2 ** (8 - Math.trunc(bits)));
    },

    /** Blends with a 3×3 smoothing (1 1 1, 1 5 1, 1 1 1, over 13); the outermost pixels stay as they are. */
    sharpness(view: View, factor: number): void {
      expect(view, 'sharpness');
      expectFactor(factor, 'sharpness');
      withSpare(viewBytes(view), (original) => {
        arena.bytes.copyWithin(original, view.ptr, view.ptr + viewBytes(view));
        kernels.sharpness(original, view.ptr, view.width, view.height, view.channels, factor);
      });
    },

    /** Stretches each channel from its least and greatest value to 0…255; a flat channel stays as it is. */
    autocontrast(view: View): void {
      expect(view, 'autocontrast');
      const { ptr, channels } = view;
      withSpare(channels * 256, (tables) => {
        kernels.extrema(ptr, pixelsOf(view), channels, tables);
        arena.bytes.set(autocontrastTables(arena.bytes.slice(tables, tables + 2 * channels)), tables);
        kernels.lookUp(ptr, pixelsOf(view), channels, tables);
      });
    },

    /** 255 less each byte. */
    invert(view: View): void {
      operations.solarize(view, 0);
    },

    /** Adds `add`, 0 to 255, to every byte below the threshold, at most up to 255. */
    solarizeAdd(view: View, add: number, threshold = 128): void {
      expect(view, 'solarizeAdd');
      expectNumber(add, 0, 255, 'what solarizeAdd adds');
      const table = Uint8Array.from({ length: 256 }, (_, v) =>
        v < threshold ? Math.min(255, v + Math.trunc(add)) : v,
      );
      withSpare(256, (spare) => {
        arena.bytes.set(table, spare);
        kernels.lookUp(view.ptr, viewBytes(view), 1, spare);
      });
    },

    /** Spreads the values of each channel evenly. */
    equalize(view: View): void {
      expect(view, 'equalize');
      const { ptr, channels } = view;
      withSpare(channels * 1024, (spare) => {
        kernels.histogram(ptr, pixelsOf(view), channels, spare);
        const counts = new Uint32Array(arena.memory.buffer, spare, channels * 256);
        arena.bytes.set(equalizeTables(counts.slice()), spare);
        kernels.lookUp(ptr, pixelsOf(view), channels, spare);
      });
    },

    /** Pillow's Gaussian blur: three extended box passes a side; `radius` is the standard deviation in pixels, ≥ 0. */
    gaussianBlur(view: View, radius: number): void {
      expect(view, 'gaussianBlur');
      expectNumber(radius, 0, 1e6, 'the radius of gaussianBlur');
      const { ptr, width, height, channels } = view;
      const box = kernels.boxRadius(radius);
      const margin = (Math.trunc(box) + 1) * 16;
      const line = margin + Math.max(width * channels, height * 16) + 32 + margin;
      arena.scratch(() => {
        const a = arena.alloc(line) + margin;
        kernels.blur(ptr, width, height, channels, box, 2 ** 23, a, arena.alloc(line) + margin);
      });
    },

    /** Colour jitter: the sampled operations, in their order. */
    jitter(view: View, sampled: readonly JitterOperation[]): void {
      for (const { operation, factor } of sampled) operations[operation](view, factor);
    },
  };
  return operations;
}
