import type { Random } from '../../random.ts';
import type { Box } from './resize.ts';
import { roundHalfEven } from './round.ts';

type Draws = Pick<Random, 'uniform' | 'integer'>;
const ATTEMPTS = 10;

/**
 * The box of torchvision's RandomResizedCrop: up to ten tries of an area share U(scale) and a log-uniform aspect ratio,
 * then a uniform position (top drawn first); else the largest central box within the ratio bounds. Log bounds, the
 * ratio and the area share are float32, and sizes round half to even, as there.
 */
export function sampleResizedCrop(
  random: Draws,
  width: number,
  height: number,
  scale: readonly [number, number] = [0.08, 1],
  ratio: readonly [number, number] = [3 / 4, 4 / 3],
): Box {
  const [low, high] = ratio.map((r) => Math.fround(Math.log(Math.fround(r))));
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const area = width * height * Math.fround(random.uniform(scale[0], scale[1]));
    const aspect = Math.fround(Math.exp(Math.fround(random.uniform(low, high))));
    const w = roundHalfEven(Math.sqrt(area * aspect));
    const h = roundHalfEven(Math.sqrt(area / aspect));
    if (w > 0 && w <= width && h > 0 && h <= height) {
      const top = random.integer(height - h + 1);
      return { left: random.integer(width - w + 1), top, width: w, height: h };
    }
  }
  return centralCrop(width, height, ratio);
}

function centralCrop(width: number, height: number, [narrowest, widest]: readonly [number, number]): Box {
  const ratio = width / height;
  // at least one pixel, even of a picture thousands of times as long as wide
  const w = ratio > widest ? Math.max(1, roundHalfEven(height * widest)) : width;
  const h = ratio < narrowest ? Math.max(1, roundHalfEven(width / narrowest)) : height;
  return { left: Math.floor((width - w) / 2), top: Math.floor((height - h) / 2), width: w, height: h };
}

/**
 * Where torchvision's RandomCrop begins: top drawn first. A box as large as the picture draws nothing; one that is
 * larger is a RangeError.
 */
export function sampleCropPosition(
  random: Draws,
  picture: { readonly width: number; readonly height: number },
  width: number,
  height: number,
): { left: number; top: number } {
  if (width > picture.width || height > picture.height) {
    const size = `${picture.width}×${picture.height}`;
    throw new RangeError(`a crop of ${width}×${height} does not fit in a picture of ${size}: resize or pad it first`);
  }
  if (picture.width === width && picture.height === height) return { left: 0, top: 0 };
  const top = random.integer(picture.height - height + 1);
  return { left: random.integer(picture.width - width + 1), top };
}
