/** Where the tensors of a batch lie in the shared memory. */
import type { Slab } from '../../graph/node-type.ts';
import type { SlabArray } from './collation.ts';

/** One tensor of a batch in memory. */
export interface SlabLayout {
  readonly port: string;
  readonly element: number;
  readonly dtype: Slab['dtype'];
  /** rows of a full batch as handed on */
  readonly rows: number;
  /** sizes of one row */
  readonly row: readonly number[];
  readonly rowBytes: number;
  /** first byte, from the begin of the batch */
  readonly offset: number;
  /** views may be smaller than a row */
  readonly padded: boolean;
}

export interface BatchLayout {
  readonly slabs: readonly SlabLayout[];
  /** rows in memory for each row handed on: more than 1 when images are mixed */
  readonly fill: number;
  /** images in a full batch */
  readonly batchSize: number;
  readonly bytes: number;
}

/** A tensor of a batch: a view on the shared memory, valid until the batch is released. */
export interface BatchTensor {
  readonly data: SlabArray;
  readonly shape: readonly number[];
  readonly dtype: Slab['dtype'];
}

const ALIGN = 64;

/** Throws a RangeError that names the port when a size is not known. */
export function layoutBatch(slabs: readonly Slab[], batchSize: number, fill = 1): BatchLayout {
  let bytes = 0;
  const laid = slabs.map(({ port, element, dtype, shape, padded = false }): SlabLayout => {
    const sizes = shape.map((dim) =>
      dim.reduce<number>((product, factor) => {
        if (typeof factor === 'number') return product * factor;
        throw new RangeError(`${port}: the size ${factor} is not known before images are read: resize or crop them`);
      }, 1),
    );
    const [rows, ...row] = sizes;
    const rowBytes = row.reduce((a, b) => a * b, dtype === 'uint8' ? 1 : 4);
    const offset = bytes;
    bytes = Math.ceil((bytes + rows * fill * rowBytes) / ALIGN) * ALIGN;
    return { port, element, dtype, rows, row, rowBytes, offset, padded };
  });
  return { slabs: laid, fill, batchSize, bytes };
}

/** Rows that a batch of `images` images hands on in this slab. */
export function rowsOf(slab: SlabLayout, layout: BatchLayout, images: number): number {
  return (slab.rows / layout.batchSize) * images;
}

/** The slab's values, `rows` rows of them. */
export function slabArray(memory: WebAssembly.Memory, slab: SlabLayout, base: number, rows: number): SlabArray {
  const at = base + slab.offset;
  const bytes = rows * slab.rowBytes;
  if (slab.dtype === 'float32') return new Float32Array(memory.buffer, at, bytes / 4);
  if (slab.dtype === 'int32') return new Int32Array(memory.buffer, at, bytes / 4);
  return new Uint8Array(memory.buffer, at, bytes);
}

/** All tensors of a batch of `images` images that begins at `base`, by port; a list where `lists` has the port. */
export function batchTensors(
  memory: WebAssembly.Memory,
  layout: BatchLayout,
  base: number,
  images: number,
  lists: ReadonlySet<string>,
): Record<string, BatchTensor | BatchTensor[]> {
  const ports: Record<string, BatchTensor | BatchTensor[]> = {};
  for (const slab of layout.slabs) {
    const rows = rowsOf(slab, layout, images);
    const tensor: BatchTensor = {
      data: slabArray(memory, slab, base, rows),
      shape: [rows, ...slab.row],
      dtype: slab.dtype,
    };
    if (!lists.has(slab.port)) ports[slab.port] = tensor;
    else {
      ports[slab.port] ??= [];
      (ports[slab.port] as BatchTensor[])[slab.element] = tensor;
    }
  }
  return ports;
}
