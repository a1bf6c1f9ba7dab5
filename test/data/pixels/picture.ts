import { createRandom } from '../../../runtime/random.ts';

/** Packed bytes on the JavaScript heap. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly pixels: Uint8Array;
}

/** noise: any byte; edges: 0 or 255; narrow: 100 to 140. The same arguments give the same picture. */
export function randomPicture(
  width: number,
  height: number,
  channels: number,
  kind: 'noise' | 'edges' | 'narrow' = 'noise',
): Picture {
  const random = createRandom(7, kind, width, height, channels);
  const draw = {
    noise: () => random.integer(256),
    edges: () => random.integer(2) * 255,
    narrow: () => 100 + random.integer(41),
  }[kind];
  return { width, height, channels, pixels: Uint8Array.from({ length: width * height * channels }, draw) };
}

/** Sizes that vector code gets wrong: below, at and just off multiples of 4 and 16. */
export const ODD_SIZES = [
  [1, 1],
  [1, 9],
  [9, 1],
  [2, 2],
  [3, 5],
  [5, 3],
  [4, 4],
  [16, 16],
  [15, 17],
  [17, 31],
  [31, 17],
  [33, 2],
  [2, 33],
  [48, 36],
  [64, 65],
] as const;

/** Runs `body` for every odd size, channel count and kind of content. */
export function forPictures(channels: readonly number[], body: (picture: Picture) => void): void {
  for (const [width, height] of ODD_SIZES) {
    for (const count of channels) {
      for (const kind of ['noise', 'edges', 'narrow'] as const) body(randomPicture(width, height, count, kind));
    }
  }
}
