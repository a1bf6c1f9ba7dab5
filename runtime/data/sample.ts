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
  /** set by to_tensor and normalize on uint8 pixels: the conversion to do when the view is written to its batch */
  readonly tensor?: TensorForm;
  /** patches that a model must not see */
  readonly mask?: PatchMask;
}

/** One cell per patch, row after row: 1 where it is masked. */
export interface PatchMask {
  readonly rows: number;
  readonly columns: number;
  readonly cells: Uint8Array;
}

/** How bytes become float32: value / 255 (not when raw), then (value - mean) / std per channel. */
export interface TensorForm {
  readonly raw: boolean;
  readonly normalize?: { readonly mean: readonly number[]; readonly std: readonly number[] };
}

/** Class index; -1 when there is none; a list of numbers for multi-label; or class indices that apply and do not. */
export type Label = number | readonly number[] | PartialLabel;

/** Multi-label with known positives and known negatives; all other classes are unknown. */
export interface PartialLabel {
  readonly positive: readonly number[];
  readonly negative: readonly number[];
}

export interface Sample {
  /** one before a copying transform, many after */
  views: View[];
  label: Label;
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
  /** what stands in for a bad picture; default a gray one, of the size of all pictures, else of 224×224 pixels */
  readonly replacement?: Replacement;
  /** pictures with more pixels count as bad; default as the decoder's */
  readonly pixelLimit?: number;
}

export interface Replacement {
  /** gray: all values 128, `valid` false. queue: a picture read before by the same thread while there is one, `valid` true */
  readonly kind: 'gray' | 'queue';
  /** side of the gray picture in pixels */
  readonly size: number;
}

export interface RawSample {
  /** an encoded file (JPEG, PNG, …) to decode, or decoded packed pixels */
  readonly source: PictureSource;
  /** pictures beside it, each a view of its own: data sources read side by side */
  readonly others?: readonly PictureSource[];
  readonly label: Label;
  /** for messages; default "sample <index>" */
  readonly name?: string;
}

export type PictureSource = { readonly file: string } | { readonly encoded: Uint8Array } | PackedPixels;

export interface PackedPixels {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** 1 or 3 */
  readonly channels: number;
}
