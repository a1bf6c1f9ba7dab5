import type { Kernels } from '../kernels/kernels.ts';
import type { View } from '../sample.ts';
import type { Arena } from './arena.ts';
import { checkSize, expectKind, packedView } from './view.ts';

export type Interpolation = 'nearest' | 'bilinear' | 'bicubic';

/** A box in pixels; it lies inside its picture. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export interface ResizeOptions {
  /** the part to resize; default the whole picture */
  readonly box?: Box;
  /** mirror left to right as well; default false */
  readonly flip?: boolean;
  /** default bilinear */
  readonly interpolation?: Interpolation;
}

/** Weights of one axis. */
interface Axis {
  readonly bounds: number;
  readonly weights: number;
  readonly pairs: number;
}

export function resizing(kernels: Kernels, arena: Arena) {
  const axis = (inSize: number, outSize: number, cubic: boolean, mirrored: boolean): Axis => {
    const support = (cubic ? 2 : 1) * Math.max(inSize / outSize, 1);
    // at most 2 · ceil(support) + 1 inputs an output
    const pairs = Math.ceil(support) + 1;
    const bounds = arena.alloc(outSize * 8);
    const weights = arena.alloc(outSize * pairs * 8);
    kernels.resizeCoefficients(inSize, outSize, cubic, mirrored, pairs, bounds, weights, arena.alloc(pairs * 16));
    return { bounds, weights, pairs };
  };

  const filtered = (from: number, stride: number, box: Box, out: View, cubic: boolean, flip: boolean) => {
    const { channels, width } = out;
    let src = from;
    let srcStride = stride;
    if (box.width !== width || flip) {
      const { bounds, weights, pairs } = axis(box.width, width, cubic, flip);
      const rowBytes = box.width * channels;
      srcStride = width * channels;
      src = arena.alloc(box.height * srcStride);
      const spare = arena.alloc(rowBytes + 24);
      kernels.resizeRows(from, stride, rowBytes, box.height, channels, width, bounds, weights, pairs, src, spare);
    }
    const { bounds, weights, pairs } = axis(box.height, out.height, cubic, false);
    kernels.resizeColumns(src, srcStride, width * channels, box.height, out.height, bounds, weights, pairs, out.ptr);
  };

  const nearest = (from: number, stride: number, box: Box, out: View, flip: boolean) => {
    const columns = arena.alloc(out.width * 4);
    const rows = arena.alloc(out.height * 4);
    kernels.nearestOffsets(box.width, out.width, out.channels, flip, columns);
    kernels.nearestOffsets(box.height, out.height, 1, false, rows);
    kernels.gather(from, stride, out.channels, columns, rows, out.width, out.height, out.ptr);
  };

  return {
    /**
     * Resizes (a box of) a uint8 picture to width × height, as Pillow's crop and resize: antialiased when it shrinks,
     * rounded to 8 bits between rows and columns. Throws a RangeError when the box leaves the picture.
     */
    resize(view: View, width: number, height: number, options: ResizeOptions = {}): View {
      expectKind(view, 'uint8', 'resize');
      const { flip = false, interpolation = 'bilinear' } = options;
      const box = options.box ?? { left: 0, top: 0, width: view.width, height: view.height };
      checkBox(box, view);
      checkSize(width, height);
      const out = packedView(arena.alloc(width * height * view.channels), width, height, view.channels, 'uint8');
      const stride = view.width * view.channels;
      const from = view.ptr + box.top * stride + box.left * view.channels;
      arena.scratch(() => {
        if (interpolation === 'nearest') nearest(from, stride, box, out, flip);
        else filtered(from, stride, box, out, interpolation === 'bicubic', flip);
      });
      return out;
    },
  };
}

function checkBox(box: Box, view: View): void {
  checkSize(box.width, box.height);
  const { left, top, width, height } = box;
  const whole = Number.isSafeInteger(left) && Number.isSafeInteger(top);
  if (whole && left >= 0 && top >= 0 && left + width <= view.width && top + height <= view.height) return;
  const at = `${width}×${height} at (${left}, ${top})`;
  throw new RangeError(`the box ${at} leaves the picture of ${view.width}×${view.height}: use crop to pad`);
}
