import type { Kernels } from '../kernels/kernels.ts';
import type { View } from '../sample.ts';
import type { Arena } from './arena.ts';
import { labTables } from './lab-tables.ts';
import { expectKind, pixelBytes, viewBytes } from './view.ts';

/** One number per channel. */
export interface Statistics {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

export interface ToTensorOptions {
  /** subtracted and divided per channel, after the division by 255; default neither */
  readonly normalize?: Statistics;
  /** leave values in 0…255 (ImgPilToRawTensor); default false */
  readonly raw?: boolean;
  /** where to write: a multiple of 4; default the arena */
  readonly to?: number;
}

/** From uint8 pictures to float32, NHWC (channels side by side), and from views to batch slabs. */
export function tensors(kernels: Kernels, arena: Arena) {
  const floatView = (view: View, to?: number): View => {
    const out = { ...view, dtype: 'float32', ptr: 0 } as const;
    const bytes = viewBytes(out);
    if (to === undefined) return { ...out, ptr: arena.alloc(bytes) };
    if (to % 4 !== 0) throw new RangeError(`float32 values cannot be written at ${to}: not a multiple of 4`);
    arena.checkRange(to, bytes, 'destination');
    return { ...out, ptr: to };
  };

  const withStatistics = (channels: number, statistics: Statistics | undefined, work: (at: number) => void) =>
    arena.scratch(() => {
      const at = arena.alloc(96);
      new Float32Array(arena.memory.buffer, at, 24).set(repeated(channels, statistics));
      work(at);
    });

  return {
    /**
     * value / 255, then (value - mean) / std per channel, each step in float32, as torchvision's ToTensor and
     * Normalize. Returns the float32 view, in the arena or at `to` in the same memory.
     */
    toTensor(view: View, options: ToTensorOptions = {}): View {
      expectKind(view, 'uint8', 'toTensor');
      const out = floatView(view, options.to);
      withStatistics(view.channels, options.normalize, (at) =>
        kernels.normalizeBytes(view.ptr, viewBytes(view), out.ptr, options.raw ? 1 : 255, at),
      );
      return out;
    },

    /** (value - mean) / std per channel of a float32 view, in place. */
    normalize(view: View, statistics: Statistics): void {
      expectKind(view, 'float32', 'normalize');
      withStatistics(view.channels, statistics, (at) => kernels.normalizeFloats(view.ptr, viewBytes(view) / 4, at));
    },

    /**
     * RGB to CIE L*a*b* as OpenCV's 8-bit conversion, then float32 NHWC: L·100/255 - 50, a - 128, b - 128. L lies in
     * [-50, 50], as in VISSL's ImgPil2LabTensor, whose documentation says [0, 100].
     */
    toLab(view: View, options: Pick<ToTensorOptions, 'to'> = {}): View {
      expectKind(view, 'uint8', 'toLab');
      if (view.channels !== 3) throw new TypeError('toLab takes RGB pictures: convert gray ones with toRgb');
      const out = floatView(view, options.to);
      const { linear, roots } = labTables();
      arena.scratch(() => {
        const at = arena.alloc(linear.byteLength + roots.byteLength);
        new Uint16Array(arena.memory.buffer, at, linear.length).set(linear);
        new Uint16Array(arena.memory.buffer, at + linear.byteLength, roots.length).set(roots);
        kernels.labFloats(view.ptr, view.width * view.height, out.ptr, at, at + linear.byteLength);
      });
      return out;
    },

    /** Copies a view's bytes to `destination` in the same memory: a row of a batch slab. Returns their number. */
    write(view: View, destination: number): number {
      const count = viewBytes(view);
      arena.checkRange(destination, count, 'destination');
      arena.bytes.copyWithin(destination, view.ptr, view.ptr + count);
      return count;
    },

    /** Copies a view to the upper left corner of width × height pixels at `destination`; the rest becomes 0. */
    writePadded(view: View, destination: number, width: number, height: number): void {
      const pixel = pixelBytes(view);
      const [row, own] = [width * pixel, view.width * pixel];
      if (view.width > width || view.height > height) {
        throw new RangeError(`${view.width}×${view.height} pixels do not fit into ${width}×${height}`);
      }
      arena.checkRange(destination, row * height, 'destination');
      arena.bytes.fill(0, destination, destination + row * height);
      kernels.copyRows(view.ptr, own, destination, row, own, view.height);
    },
  };
}

/** Means and deviations with a period that divides 12, twelve of each. */
function repeated(channels: number, statistics: Statistics | undefined): Float32Array {
  const { mean, std } = statistics ?? { mean: new Array(channels).fill(0), std: new Array(channels).fill(1) };
  if (mean.length !== channels || std.length !== channels) {
    throw new RangeError(`${mean.length} means and ${std.length} deviations for a picture of ${channels} channels`);
  }
  if (std.some((value) => !(value > 0))) throw new RangeError(`std is [${std.join(', ')}]; expected numbers above 0`);
  return Float32Array.from({ length: 24 }, (_, i) => (i < 12 ? mean[i % channels] : std[i % channels]));
}
