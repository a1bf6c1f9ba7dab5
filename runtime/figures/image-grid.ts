import type { Picture } from './picture.ts';

export interface GridOptions {
  /** pixels between pictures and around them; default 4 */
  readonly gap?: number;
  /** whole factor that every picture is enlarged by; default 1 */
  readonly scale?: number;
}

/** light gray, which neither white nor black pictures melt into */
const BACKGROUND = 222;

/**
 * One picture of many: `rows` of pictures, each in a cell as wide as the widest of its column and as high as the highest
 * of its row, in its middle. A missing picture leaves its cell empty. Gray pictures become RGB.
 */
export function imageGrid(rows: readonly (readonly (Picture | undefined)[])[], options: GridOptions = {}): Picture {
  const { gap = 4, scale = 1 } = options;
  if (!Number.isInteger(scale) || scale < 1) throw new RangeError(`scale is ${scale}; it must be a whole number`);
  const across = Math.max(0, ...rows.map((row) => row.length));
  if (across === 0) throw new RangeError('there are no pictures to put into a grid');
  const widths = Array.from(
    { length: across },
    (_, j) => scale * Math.max(0, ...rows.map((row) => row[j]?.width ?? 0)),
  );
  const heights = rows.map((row) => scale * Math.max(0, ...row.map((picture) => picture?.height ?? 0)));
  const width = gap + widths.reduce((sum, size) => sum + size + gap, 0);
  const height = gap + heights.reduce((sum, size) => sum + size + gap, 0);
  const pixels = new Uint8Array(width * height * 3).fill(BACKGROUND);
  let top = gap;
  rows.forEach((row, i) => {
    let left = gap;
    widths.forEach((cell, j) => {
      const picture = row[j];
      if (picture) {
        const x = left + Math.floor((cell - picture.width * scale) / 2);
        const y = top + Math.floor((heights[i] - picture.height * scale) / 2);
        paste(pixels, width, x, y, picture, scale);
      }
      left += cell + gap;
    });
    top += heights[i] + gap;
  });
  return { pixels, width, height, channels: 3 };
}

function paste(target: Uint8Array, width: number, left: number, top: number, picture: Picture, scale: number): void {
  const { pixels, channels } = picture;
  for (let y = 0; y < picture.height * scale; y++) {
    const from = Math.floor(y / scale) * picture.width;
    let to = ((top + y) * width + left) * 3;
    for (let x = 0; x < picture.width * scale; x++) {
      const at = (from + Math.floor(x / scale)) * channels;
      target[to++] = pixels[at];
      target[to++] = pixels[at + (channels > 1 ? 1 : 0)];
      target[to++] = pixels[at + (channels > 1 ? 2 : 0)];
    }
  }
}
