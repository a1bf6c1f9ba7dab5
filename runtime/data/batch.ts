/** What a loader gives. */
import type { BatchTensor } from './slabs.ts';

/** A batch in shared memory. Its arrays are valid until `release`, or until the next pass begins. */
export interface Batch {
  readonly step: number;
  /** images (not views) */
  readonly rows: number;
  /** by output port; a list where the port carries one. Label, index and valid are int32. */
  readonly arrays: Readonly<Record<string, BatchTensor | readonly BatchTensor[]>>;
  /** images that a gray picture or another one stands in for */
  readonly bad: number;
  /** gives the memory back; a batch that is kept holds up the loader */
  release(): void;
}

export interface LoaderStats {
  readonly images: number;
  readonly bad: number;
  readonly batches: number;
  /** ms that the rank waited for batches */
  readonly waited: number;
  /** ms that finished batches lay waiting for the rank */
  readonly ahead: number;
  /** ms of all threads in reading and decoding, and in transforms */
  readonly read: number;
  readonly transform: number;
}
