/** Finished samples into the slabs of a batch. */
import type { Pixels } from './pixels/pixels.ts';
import { ProgramError } from './program-error.ts';
import type { Label, View } from './sample.ts';
import type { BatchLayout } from './slabs.ts';

/**
 * Converts a view as to_tensor and normalize said and writes it to row `row` of slab `slab` of the batch at `base`: one
 * pass from bytes to the batch. Throws a ProgramError when sizes differ or the row lies outside.
 */
export function writeView(
  pixels: Pixels,
  view: View,
  layout: BatchLayout,
  slab: number,
  base: number,
  row: number,
  what: () => string,
): void {
  const { port, dtype, row: sizes, rows, rowBytes, offset } = layout.slabs[slab];
  const { width, height, channels } = view;
  if (sizes[0] !== height || sizes[1] !== width || sizes[2] !== channels) {
    throw new ProgramError(
      `${what()} is ${height}×${width}×${channels}; ${port} takes ${sizes.join('×')} (height × width × channels)`,
    );
  }
  if (!(row >= 0 && row < rows * layout.fill)) throw new ProgramError(`row ${row} lies outside the ${rows} of ${port}`);
  const destination = base + offset + row * rowBytes;
  const { tensor, ...plain } = view;
  if (dtype === 'float32' && view.dtype === 'uint8') {
    if (!tensor)
      throw new ProgramError(`${what()} is still bytes: put transform/to_tensor or transform/normalize last`);
    pixels.toTensor(plain, { ...tensor, to: destination });
  } else pixels.write(plain, destination);
}

/** A class index, or as many numbers as the row has. */
export function writeLabel(label: Label, out: Int32Array): void {
  if (typeof label === 'number') {
    if (out.length !== 1) throw new RangeError(`its label is one number; ${out.length} are expected`);
    out[0] = label;
    return;
  }
  if ('positive' in label) throw new TypeError('its label lists positives and negatives: use collator/targets_one_hot');
  if (label.length !== out.length) {
    throw new RangeError(`its label is ${label.length} numbers; ${out.length} are expected`);
  }
  out.set(label);
}
