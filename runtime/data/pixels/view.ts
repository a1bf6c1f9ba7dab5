import type { View } from '../sample.ts';

type Kind = View['dtype'];

/** Bytes of one pixel. */
export function pixelBytes(view: Pick<View, 'channels' | 'dtype'>): number {
  return view.channels * (view.dtype === 'float32' ? 4 : 1);
}

/** Bytes of all pixels. */
export function viewBytes(view: Pick<View, 'width' | 'height' | 'channels' | 'dtype'>): number {
  return view.width * view.height * pixelBytes(view);
}

/** A packed view; throws a RangeError on sizes that no picture has. */
export function packedView(ptr: number, width: number, height: number, channels: number, dtype: Kind): View {
  checkSize(width, height);
  if (channels !== 1 && channels !== 3) throw new RangeError(`a picture has 1 or 3 channels, not ${channels}`);
  return { ptr, width, height, channels, dtype, layout: 'packed' };
}

export function checkSize(width: number, height: number): void {
  if (Number.isSafeInteger(width) && Number.isSafeInteger(height) && width >= 1 && height >= 1) return;
  throw new RangeError(`a picture of ${width}×${height} pixels: width and height must be whole numbers from 1`);
}

/** Throws a TypeError unless the view is packed and of this dtype; `operation` begins the message. */
export function expectKind(view: View, dtype: Kind, operation: string): void {
  if (view.layout !== 'packed') throw new TypeError(`${operation} takes packed pixels, not ${view.layout} ones`);
  if (view.dtype === dtype) return;
  const cure = dtype === 'uint8' ? 'put it before to_tensor' : 'put it after to_tensor';
  throw new TypeError(`${operation} takes ${dtype} pixels, not ${view.dtype}: ${cure}`);
}

/** Throws a RangeError unless lowest ≤ value ≤ highest. */
export function expectNumber(value: number, lowest: number, highest: number, what: string): void {
  if (value >= lowest && value <= highest) return;
  throw new RangeError(`${what} is ${value}; expected a number from ${lowest} to ${highest}`);
}
