import type { Kernels } from '../kernels/kernels.ts';
import type { View } from '../sample.ts';
import type { Arena } from './arena.ts';
import { expectKind, pixelBytes, viewBytes } from './view.ts';

/** 16.16 fixed point reaches coordinates below this. */
const FIXED_LIMIT = 32768;

export function geometry(kernels: Kernels, arena: Arena) {
  const like = (view: View): View => ({ ...view, ptr: arena.alloc(viewBytes(view)) });

  return {
    /** Mirrors left to right, into a new view. uint8 or float32. */
    flipHorizontal(view: View): View {
      const out = like(view);
      kernels.mirrorRows(view.ptr, out.ptr, view.width, view.height, pixelBytes(view));
      return out;
    },

    /** Mirrors top to bottom, into a new view. uint8 or float32. */
    flipVertical(view: View): View {
      const out = like(view);
      const row = view.width * pixelBytes(view);
      for (let y = 0; y < view.height; y++) {
        const from = view.ptr + (view.height - 1 - y) * row;
        arena.bytes.copyWithin(out.ptr + y * row, from, from + row);
      }
      return out;
    },

    /**
     * Rotates counter-clockwise by any angle in degrees about the centre, on the same canvas, nearest neighbour, 0
     * outside, as Pillow's rotate: its 16.16 fixed-point steps for pictures below 32,768 pixels a side.
     */
    rotate(view: View, degrees: number): View {
      expectKind(view, 'uint8', 'rotate');
      if (!Number.isFinite(degrees)) throw new RangeError(`rotate by ${degrees} degrees: expected a finite number`);
      const out = like(view);
      const { width, height, channels } = view;
      const { ax, bx, cx, ay, by, cy } = inverseRotation(degrees, width, height);
      const x0 = cx + ax * 0.5 + bx * 0.5;
      const y0 = cy + ay * 0.5 + by * 0.5;
      const fits = [0, width].every((x) =>
        [0, height].every(
          (y) => Math.abs(x * ax + y * bx + cx) < FIXED_LIMIT && Math.abs(x * ay + y * by + cy) < FIXED_LIMIT,
        ),
      );
      if (!fits) kernels.affineDouble(view.ptr, width, height, channels, out.ptr, x0, y0, ax, ay, bx, by);
      else {
        const [fx0, fy0, fax, fay, fbx, fby] = [x0, y0, ax, ay, bx, by].map((v) => Math.floor(v * 65536 + 0.5));
        kernels.affineFixed(view.ptr, width, height, channels, out.ptr, fx0, fy0, fax, fay, fbx, fby);
      }
      return out;
    },

    /**
     * Maps output (x, y) to input (ax·x + bx·y + cx, ay·x + by·y + cy) on the same canvas, in coordinates whose whole
     * numbers are the corners of pixels, with interpolation; `fill` (a byte) outside. As Pillow's affine transform.
     */
    affine(view: View, matrix: AffineMatrix, { interpolation = 'bilinear', fill = 0 }: AffineOptions = {}): View {
      expectKind(view, 'uint8', 'affine');
      const { ax, bx, cx, ay, by, cy } = matrix;
      const { ptr, width, height, channels } = view;
      const out = like(view);
      const bicubic = interpolation === 'bicubic';
      kernels.affineSmooth(ptr, width, height, channels, out.ptr, bicubic, fill, ax, bx, cx, ay, by, cy);
      return out;
    },
  };
}

export interface AffineMatrix {
  readonly ax: number;
  readonly bx: number;
  readonly cx: number;
  readonly ay: number;
  readonly by: number;
  readonly cy: number;
}

export interface AffineOptions {
  readonly interpolation?: 'bilinear' | 'bicubic';
  readonly fill?: number;
}

/** Output (x, y) to input (ax·x + bx·y + cx, ay·x + by·y + cy); sine and cosine rounded to 15 decimals, like Pillow's. */
export function inverseRotation(degrees: number, width: number, height: number): AffineMatrix {
  const turn = degrees % 360;
  const angle = -((turn < 0 ? turn + 360 : turn) * (Math.PI / 180));
  const cosine = Number(Math.cos(angle).toFixed(15));
  const sine = Number(Math.sin(angle).toFixed(15));
  const x = width / 2;
  const y = height / 2;
  return {
    ax: cosine,
    bx: sine,
    cx: cosine * -x + sine * -y + x,
    ay: -sine,
    by: cosine,
    cy: -sine * -x + cosine * -y + y,
  };
}
