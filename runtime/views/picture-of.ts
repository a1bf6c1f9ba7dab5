import type { BatchTensor } from '../data/slabs.ts';
import type { Picture } from '../figures/picture.ts';

/** Row `row` of a tensor [N, H, W, C] as a picture of 1 or 3 channels; floats from their least to their greatest value. */
export function pictureOf({ data, shape }: BatchTensor, row: number): Picture {
  const [, height, width, channels] = shape;
  const size = height * width * channels;
  const values = data.subarray(row * size, (row + 1) * size);
  const bytes = values instanceof Uint8Array ? values : stretched(values);
  if (channels === 1 || channels === 3) return { pixels: bytes.slice(), width, height, channels };
  const shown = channels < 3 ? 1 : 3;
  const pixels = new Uint8Array(height * width * shown);
  for (let i = 0; i < height * width; i++) {
    for (let c = 0; c < shown; c++) pixels[i * shown + c] = bytes[i * channels + c];
  }
  return { pixels, width, height, channels: shown };
}

function stretched(values: Float32Array | Int32Array): Uint8Array {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const scale = high > low ? 255 / (high - low) : 0;
  return Uint8Array.from(values, (value) => Math.round((value - low) * scale));
}
