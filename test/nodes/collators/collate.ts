/** Collates given views without threads: what the workers do, on plain numbers. */
import assert from 'node:assert/strict';
import { Value } from '@sinclair/typebox/value';
import type { SampleFacts } from '../../../graph/port.ts';
import { factRows } from '../../../runtime/data/collation.ts';
import type { Label } from '../../../runtime/data/sample.ts';
import { type BatchTensor, batchTensors, layoutBatch, slabArray } from '../../../runtime/data/slabs.ts';
import { writeLabel } from '../../../runtime/data/write.ts';
import type { NodeType } from '../../../runtime/node.ts';
import { createRandom, type Random } from '../../../runtime/random.ts';

export interface Image {
  /** NHWC values of each view */
  readonly views: readonly {
    readonly size: readonly number[];
    readonly values: ArrayLike<number>;
    /** rows, columns and cells */
    readonly mask?: { readonly size: readonly number[]; readonly cells: ArrayLike<number> };
  }[];
  readonly label: Label;
  readonly index: number;
  readonly valid: boolean;
}

export interface Collated {
  readonly ports: Record<string, BatchTensor | BatchTensor[]>;
  readonly problems: readonly string[];
}

export function collate(
  type: NodeType,
  given: Record<string, unknown>,
  images: readonly Image[],
  random: Random = createRandom(0),
): Collated {
  if (type.role !== 'collator') throw new Error(`${type.type} is not a collator`);
  const problems: string[] = [];
  const params = Value.Default(type.params, { batch_size: images.length, ...given }) as any;
  const facts: SampleFacts = {
    views: images[0].views.map(({ size }) => size.map((n) => [n])),
    dtype: 'float32',
    labelled: true,
    masks: images[0].views.map(({ mask }) => mask?.size.map((n) => [n])),
  };
  const slabs = type.slabs(facts, params, ({ message }) => problems.push(message));
  const collator = type.create(params);
  const rows = images.length;
  const layout = layoutBatch(slabs, collator.batchSize, collator.fill);
  const memory = new WebAssembly.Memory({ initial: Math.ceil(layout.bytes / 65536) });
  const full = layout.slabs.map((slab) =>
    slabArray(memory, slab, 0, (slab.rows / collator.batchSize) * rows * layout.fill),
  );
  const position = (port: string) => layout.slabs.findIndex((slab) => slab.port === port);
  images.forEach((image, row) => {
    image.views.forEach(({ size, values, mask }, view) => {
      const place = collator.place(facts, view, row, rows);
      const slab = layout.slabs[place.slab];
      const line = size[1] * size[2];
      for (let y = 0; y < size[0]; y++) {
        const at = place.row * (slab.rowBytes / 4) + y * slab.row[1] * slab.row[2];
        full[place.slab].set(Array.from(values).slice(y * line, (y + 1) * line), at);
      }
      if (!slab.padded) assert.deepEqual(slab.row, size);
      if (place.mask) full[place.mask.slab].set(mask!.cells, place.mask.row * mask!.cells.length);
    });
    for (const at of factRows(collator.repeat, image.views.length, row, rows)) {
      const label = layout.slabs[position('label')];
      const cells = new Int32Array(memory.buffer, label.offset + at * label.rowBytes, label.rowBytes / 4);
      (collator.label ?? writeLabel)(image.label, cells);
      full[position('index')][at] = image.index;
      full[position('valid')][at] = image.valid ? 1 : 0;
    }
  });
  collator.finish?.({ arrays: full, facts, rows, random });
  const outputs = typeof type.outputs === 'function' ? type.outputs(params) : (type.outputs ?? {});
  const lists = new Set(Object.keys(outputs).filter((port) => outputs[port].list));
  return { ports: batchTensors(memory, layout, 0, rows, lists), problems };
}
