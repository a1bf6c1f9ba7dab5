/** Finished samples into the slabs of a batch. */
import { type Collator, factRows } from './collation.ts';
import { messageOf } from './fetch.ts';
import type { Pixels } from './pixels/pixels.ts';
import { ProgramError } from './program-error.ts';
import type { Label, PatchMask, Sample, View } from './sample.ts';
import { type BatchLayout, rowsOf, type SlabLayout } from './slabs.ts';
import type { ProgramSpec, Task } from './tasks.ts';

/** Writes the image in `row` of the task's batch: its views, label, index and validity. Throws a ProgramError. */
export type WriteSample = (task: Task, row: number, sample: Sample, name: string) => void;

export function sampleWriter(
  { facts, layout }: Pick<ProgramSpec, 'facts' | 'layout'>,
  memory: WebAssembly.Memory,
  pixels: Pixels,
  collator: Collator,
): WriteSample {
  const slab = (port: string) => layout.slabs.find((one) => one.port === port);
  const [labels, indices, valid] = [slab('label'), slab('index'), slab('valid')];
  const toLabel = collator.label?.bind(collator) ?? writeLabel;

  const cells = (task: Task, one: SlabLayout, row: number) => {
    checkRow(one, row, rowsOf(one, layout, task.rows) * layout.fill);
    return new Int32Array(memory.buffer, task.base + one.offset + row * one.rowBytes, one.rowBytes / 4);
  };
  const writeFacts = (task: Task, row: number, sample: Sample, name: string) => {
    if (indices) cells(task, indices, row)[0] = sample.index;
    if (valid) cells(task, valid, row)[0] = sample.valid ? 1 : 0;
    if (!labels) return;
    const out = cells(task, labels, row);
    try {
      toLabel(sample.label, out);
    } catch (error) {
      throw new ProgramError(`${name}: ${messageOf(error)}`);
    }
  };

  return (task, row, sample, name) => {
    const { views } = sample;
    if (views.length !== facts.views.length) {
      throw new ProgramError(`${name} has ${views.length} views after the transforms; ${facts.views.length} expected`);
    }
    views.forEach((view, position) => {
      const place = collator.place(facts, position, row, task.rows);
      const what = () => `${name}, view ${position}`;
      writeView(pixels, view, layout, place.slab, task.base, place.row, what);
      if (place.mask) writeMask(view.mask, layout.slabs[place.mask.slab], memory, task.base, place.mask.row, what);
    });
    for (const at of factRows(collator.repeat, views.length, row, task.rows)) writeFacts(task, at, sample, name);
  };
}

/** Converts a view as to_tensor and normalize said, in one pass from bytes to the batch. */
function writeView(
  pixels: Pixels,
  view: View,
  layout: BatchLayout,
  slab: number,
  base: number,
  row: number,
  what: () => string,
): void {
  const target = layout.slabs[slab];
  const { port, dtype, row: sizes, rows, rowBytes, offset, padded } = target;
  const { width, height, channels } = view;
  const fits = padded ? sizes[0] >= height && sizes[1] >= width : sizes[0] === height && sizes[1] === width;
  if (!fits || sizes[2] !== channels) {
    throw new ProgramError(
      `${what()} is ${height}×${width}×${channels}; ${port} takes ${sizes.join('×')} (height × width × channels)`,
    );
  }
  checkRow(target, row, rows * layout.fill);
  const destination = base + offset + row * rowBytes;
  const { tensor, ...plain } = view;
  if (dtype === 'float32' && view.dtype === 'uint8') {
    if (!tensor)
      throw new ProgramError(`${what()} is still bytes: put transform/to_tensor or transform/normalize last`);
    if (!padded) pixels.toTensor(plain, { ...tensor, to: destination });
    else pixels.writePadded(pixels.toTensor(plain, tensor), destination, sizes[1], sizes[0]);
  } else if (padded) pixels.writePadded(plain, destination, sizes[1], sizes[0]);
  else pixels.write(plain, destination);
}

function writeMask(
  mask: PatchMask | undefined,
  slab: SlabLayout,
  memory: WebAssembly.Memory,
  base: number,
  row: number,
  what: () => string,
): void {
  const [rows, columns] = slab.row;
  if (mask?.rows !== rows || mask.columns !== columns) {
    const has = mask ? `a mask of ${mask.rows}×${mask.columns} patches` : 'no mask';
    throw new ProgramError(
      `${what()} has ${has}; ${slab.port} takes ${rows}×${columns}: put transform/masked_image_modeling last`,
    );
  }
  checkRow(slab, row, slab.rows);
  new Uint8Array(memory.buffer, base + slab.offset + row * slab.rowBytes, slab.rowBytes).set(mask.cells);
}

function checkRow({ port }: SlabLayout, row: number, rows: number): void {
  if (row >= 0 && row < rows) return;
  throw new ProgramError(`row ${row} of ${port} lies outside the ${rows} rows of the batch`);
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
