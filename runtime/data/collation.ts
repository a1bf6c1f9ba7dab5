/** How samples become batch tensors. Workers write finished views straight into the slabs, in any order. */
import type { SampleFacts } from '../../graph/port.ts';
import type { Random } from '../random.ts';

export interface Collator {
  /** images per batch on this rank */
  readonly batchSize: number;
  readonly dropLast: boolean;
  readonly shuffle: boolean;
  /** slab (position in the declared list) and row of view `view` of the batch's image `row`, in a batch of `rows` images */
  place(facts: SampleFacts, view: number, row: number, rows: number): { slab: number; row: number };
  /** label, index and valid are repeated once per view in this order; none: once per image */
  readonly repeat: 'view-major' | 'image-major' | 'none';
  /** last touch on the full slabs before the batch is handed on (mix-up); arrays by slab */
  finish?(
    arrays: readonly (Float32Array | Int32Array | Uint8Array)[],
    labels: Int32Array,
    rows: number,
    random: Random,
  ): void;
}
