/** The seam to the loader: batches of a collator, in shared memory, pulled one by one. */
import type { SampleProgram } from './plan.ts';

export interface HostTensor {
  readonly data: Float32Array | Int32Array | Uint8Array;
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int32' | 'uint8';
}

export interface HostBatch {
  /** by collator port; a list for a port that is one */
  readonly ports: Readonly<Record<string, HostTensor | readonly HostTensor[]>>;
  /** images, not views */
  readonly images: number;
  /** the memory may be written again */
  release(): void;
}

export interface PassOverData {
  /** names the augmentation and the order */
  readonly epoch: number;
  /** batches to leave out at the begin */
  readonly start: number;
  readonly training: boolean;
  readonly signal: AbortSignal;
}

export interface BatchSource {
  /** images in the dataset, of all ranks */
  readonly samples: number;
  /** images in a full batch on this rank */
  readonly batchSize: number;
  /** batches of a pass on this rank */
  readonly steps: number;
  open(pass: PassOverData): AsyncIterable<HostBatch>;
  close(): Promise<void>;
}

/** Scan the dataset of a sample program and start its loader. */
export type OpenSource = (program: SampleProgram, training: boolean) => Promise<BatchSource>;
