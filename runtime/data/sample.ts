/** What travels along sample-rate edges inside a worker thread. */
import type { Random } from '../random.ts';

/** A picture in the worker's WebAssembly memory. Valid until the sample is done. */
export interface View {
  /** byte offset in the shared memory */
  readonly ptr: number;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  /** uint8 before to_tensor, float32 after */
  readonly dtype: 'uint8' | 'float32';
  /** planar: one plane per channel; packed: channels side by side (float32 is packed: NHWC) */
  readonly layout: 'planar' | 'packed';
}

export interface Sample {
  /** one before a copying transform, many after */
  views: View[];
  /** class index; -1 when there is none; a list for multi-label */
  label: number | readonly number[];
  /** position in the dataset */
  readonly index: number;
  /** false when the picture could not be read and a gray one stands in */
  valid: boolean;
}

/** Samples by index, read in worker threads. */
export interface Dataset {
  /** number of samples */
  readonly length: number;
  /** packed RGB pixels of sample i, its label, and where it came from for messages; throws on a bad picture */
  read(index: number, random: Random): RawSample | Promise<RawSample>;
}

export interface RawSample {
  /** an encoded file (JPEG, PNG, …) to decode, or decoded packed pixels */
  readonly source: { readonly file: string } | { readonly encoded: Uint8Array } | PackedPixels;
  readonly label: number | readonly number[];
  /** for messages; default "sample <index>" */
  readonly name?: string;
}

export interface PackedPixels {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** 1 or 3 */
  readonly channels: number;
}
