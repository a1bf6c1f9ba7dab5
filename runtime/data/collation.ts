/** How samples become batch tensors. Workers write finished views straight into the slabs, in any order. */
import type { SampleFacts } from '../../graph/port.ts';
import type { Random } from '../random.ts';
import type { Label } from './sample.ts';
import type { SamplerKind } from './samplers.ts';

export type SlabArray = Float32Array | Int32Array | Uint8Array;

/** Where a view goes: a slab (position in the declared list) and a row of it. */
export interface Placement {
  readonly slab: number;
  readonly row: number;
  /** where the view's mask goes, when it must have one */
  readonly mask?: Omit<Placement, 'mask'>;
}

/** What `finish` may touch: the slabs of a batch, cut to the rows that are in use, by position in the declared list. */
export interface FullBatch {
  readonly arrays: readonly SlabArray[];
  readonly facts: SampleFacts;
  /** images in this batch */
  readonly rows: number;
  readonly random: Random;
}

export interface Collator {
  /** images per batch on this rank */
  readonly batchSize: number;
  readonly dropLast: boolean;
  /** undefined: in training phases only */
  readonly shuffle: boolean | undefined;
  readonly sampler: SamplerKind;
  /** batches hold a multiple of this many images; what is left of an epoch is not used. Default 1 */
  readonly multiple?: number;
  /** rows in memory for each row handed on, while a batch fills (mix-up: 2); default 1 */
  readonly fill?: number;
  /** place of view `view` of the batch's image `row`, in a batch of `rows` images */
  place(facts: SampleFacts, view: number, row: number, rows: number): Placement;
  /** label, index and valid are repeated once per view in this order; none: once per image */
  readonly repeat: 'view-major' | 'image-major' | 'none';
  /** writes one image's label into its row of the label slab; default the number or the list of numbers */
  label?(label: Label, out: Int32Array): void;
  /** last touch on the full slabs before the batch is handed on (mix-up) */
  finish?(batch: FullBatch): void;
}

/** Rows of label, index and valid that belong to image `row` of `rows`. */
export function factRows(repeat: Collator['repeat'], views: number, row: number, rows: number): number[] {
  if (repeat === 'none') return [row];
  return Array.from({ length: views }, (_, view) => (repeat === 'view-major' ? view * rows + row : row * views + view));
}
