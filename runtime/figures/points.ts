import { classColor } from './colors.ts';
import type { Picture } from './picture.ts';

/** pixels per unit of the figure, for screens of high resolution */
const DENSITY = 2;

export interface Area {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Many points as a picture of RGBA pixels: a pixel has the mean colour of its points, and the more of them the more it
 * covers. `groups` are x, y in turn, one list per class.
 */
export function drawPoints(groups: readonly (readonly number[])[], { left, top, width, height }: Area): Picture {
  const [across, down] = [Math.ceil(width * DENSITY), Math.ceil(height * DENSITY)];
  const sums = new Float32Array(across * down * 4);
  groups.forEach((positions, label) => {
    const color = classColor(label);
    for (let i = 0; i < positions.length; i += 2) {
      const x = Math.min(across - 1, Math.max(0, Math.floor((positions[i] - left) * DENSITY)));
      const y = Math.min(down - 1, Math.max(0, Math.floor((positions[i + 1] - top) * DENSITY)));
      // a dot of 2 × 2 pixels
      for (const dy of y + 1 < down ? [0, 1] : [0]) {
        for (const dx of x + 1 < across ? [0, 1] : [0]) {
          const at = ((y + dy) * across + x + dx) * 4;
          for (let c = 0; c < 3; c++) sums[at + c] += color[c];
          sums[at + 3]++;
        }
      }
    }
  });
  const pixels = new Uint8Array(sums.length);
  for (let at = 0; at < sums.length; at += 4) {
    const points = sums[at + 3];
    if (points === 0) continue;
    for (let c = 0; c < 3; c++) pixels[at + c] = Math.round(sums[at + c] / points);
    pixels[at + 3] = Math.round(255 * (1 - 0.4 ** points));
  }
  return { pixels, width: across, height: down, channels: 4 };
}
