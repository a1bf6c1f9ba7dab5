import type { Kernels } from '../kernels/kernels.ts';
import type { PackedPixels, View } from '../sample.ts';
import type { Arena } from './arena.ts';
import { checkSize, packedView, pixelBytes, viewBytes } from './view.ts';

/** Pictures in and out of the arena. */
export function storage(kernels: Kernels, arena: Arena) {
  /** A fresh view; its content is undefined. */
  const create = (width: number, height: number, channels: number, dtype: View['dtype'] = 'uint8'): View => {
    const view = packedView(0, width, height, channels, dtype);
    return { ...view, ptr: arena.alloc(viewBytes(view)) };
  };

  return {
    create,

    /** Copies decoded pixels into the arena. Throws a RangeError when their number does not fit the size. */
    put(source: PackedPixels): View {
      const { pixels, width, height, channels } = source;
      const expected = width * height * channels;
      if (pixels.length !== expected) {
        throw new RangeError(
          `${width}×${height} pixels of ${channels} channels are ${expected} bytes, not ${pixels.length}`,
        );
      }
      const view = create(width, height, channels);
      arena.bytes.set(pixels, view.ptr);
      return view;
    },

    /**
     * A view of pixels that already lie in the memory, such as a dataset kept there: not copied. Operations that work
     * in place must not be given it: `copy` it first.
     */
    at(ptr: number, width: number, height: number, channels: number, dtype: View['dtype'] = 'uint8'): View {
      const view = packedView(ptr, width, height, channels, dtype);
      arena.checkRange(ptr, viewBytes(view), 'view');
      return view;
    },

    /** The view's bytes, in place, until the arena next allocates. */
    bytes: (view: View): Uint8Array => arena.bytes.subarray(view.ptr, view.ptr + viewBytes(view)),

    /** The values of a float32 view, in place, until the arena next allocates. */
    floats: (view: View): Float32Array => new Float32Array(arena.memory.buffer, view.ptr, viewBytes(view) / 4),

    copy(view: View): View {
      const out = create(view.width, view.height, view.channels, view.dtype);
      arena.bytes.copyWithin(out.ptr, view.ptr, view.ptr + viewBytes(view));
      return out;
    },

    /**
     * The part of `view` in a box, which may reach outside: what lies there is `fill` (a byte; for float32 views 0
     * only), as in Pillow's crop. Padding is a crop with a box larger than the picture.
     */
    crop(view: View, left: number, top: number, width: number, height: number, fill = 0): View {
      checkSize(width, height);
      if (!Number.isSafeInteger(left) || !Number.isSafeInteger(top)) {
        throw new RangeError(`crop at (${left}, ${top}): expected whole numbers`);
      }
      const out = create(width, height, view.channels, view.dtype);
      const pixel = pixelBytes(view);
      const x0 = Math.max(left, 0);
      const x1 = Math.min(left + width, view.width);
      const y0 = Math.max(top, 0);
      const y1 = Math.min(top + height, view.height);
      const inside = x0 < x1 && y0 < y1;
      const whole = inside && x1 - x0 === width && y1 - y0 === height;
      if (!whole) arena.bytes.fill(view.dtype === 'float32' ? 0 : fill, out.ptr, out.ptr + viewBytes(out));
      if (!inside) return out;
      const from = view.ptr + (y0 * view.width + x0) * pixel;
      const to = out.ptr + ((y0 - top) * width + x0 - left) * pixel;
      kernels.copyRows(from, view.width * pixel, to, width * pixel, (x1 - x0) * pixel, y1 - y0);
      return out;
    },

    /** A gray picture as three equal channels; one with three channels is returned as it is. */
    toRgb(view: View): View {
      if (view.channels === 3) return view;
      if (view.dtype !== 'uint8') throw new TypeError('toRgb takes uint8 pixels: put it before to_tensor');
      const out = create(view.width, view.height, 3);
      kernels.grayToRgb(view.ptr, out.ptr, view.width * view.height);
      return out;
    },
  };
}
