/** The operations of AutoAugment and RandAugment, with a magnitude from 0 to 10. */

import { inverseRotation } from '../../runtime/data/pixels/geometry.ts';
import type { Pixels } from '../../runtime/data/pixels/pixels.ts';
import type { View } from '../../runtime/data/sample.ts';
import type { Random } from '../../runtime/random.ts';

const LARGEST = 10;
/** gray, where an image that was moved leaves a gap */
const FILL = 128;

type Draws = Pick<Random, 'next' | 'normal'>;

/** Changes a view, in place or not; `share` is the magnitude as a share of the largest. */
type Operation = (pixels: Pixels, view: View, share: number, random: Draws) => View;

const signed = (value: number, random: Draws) => (random.next() < 0.5 ? value : -value);

const inPlace =
  (change: (pixels: Pixels, view: View, share: number, random: Draws) => void): Operation =>
  (pixels, view, share, random) => {
    change(pixels, view, share, random);
    return view;
  };

const IDENTITY = { ax: 1, bx: 0, cx: 0, ay: 0, by: 1, cy: 0 };

/** Moves pixels by up to `most` to either side, bilinear or bicubic by chance. */
const moving =
  (most: number, matrix: (value: number, view: View) => Partial<typeof IDENTITY>): Operation =>
  (pixels, view, share, random) => {
    const value = signed(share * most, random);
    const interpolation = random.next() < 0.5 ? 'bilinear' : 'bicubic';
    return pixels.affine(view, { ...IDENTITY, ...matrix(value, view) }, { interpolation, fill: FILL });
  };

type Enhancement = 'saturation' | 'contrast' | 'brightness' | 'sharpness';

const enhance = (what: Enhancement) => inPlace((pixels, view, share) => pixels[what](view, share * 1.8 + 0.1));
const enhanceMore = (what: Enhancement) =>
  inPlace((pixels, view, share, random) => pixels[what](view, 1 + signed(share * 0.9, random)));

/**
 * By name. Posterize and Solarize change less as the magnitude grows, and their Increasing variants more; the plain
 * enhancements go from 0.1 to 1.9, and their Increasing variants away from 1 to either side.
 */
export const OPERATIONS = {
  AutoContrast: inPlace((pixels, view) => pixels.autocontrast(view)),
  Equalize: inPlace((pixels, view) => pixels.equalize(view)),
  Invert: inPlace((pixels, view) => pixels.invert(view)),
  Rotate: moving(30, (degrees, { width, height }) => inverseRotation(degrees, width, height)),
  Posterize: inPlace((pixels, view, share) => pixels.posterize(view, Math.trunc(share * 4))),
  PosterizeIncreasing: inPlace((pixels, view, share) => pixels.posterize(view, 4 - Math.trunc(share * 4))),
  PosterizeOriginal: inPlace((pixels, view, share) => pixels.posterize(view, 4 + Math.trunc(share * 4))),
  Solarize: inPlace((pixels, view, share) => pixels.solarize(view, Math.trunc(share * 256))),
  SolarizeIncreasing: inPlace((pixels, view, share) => pixels.solarize(view, 256 - Math.trunc(share * 256))),
  SolarizeAdd: inPlace((pixels, view, share) => pixels.solarizeAdd(view, Math.trunc(share * 110))),
  Color: enhance('saturation'),
  ColorIncreasing: enhanceMore('saturation'),
  Contrast: enhance('contrast'),
  ContrastIncreasing: enhanceMore('contrast'),
  Brightness: enhance('brightness'),
  BrightnessIncreasing: enhanceMore('brightness'),
  Sharpness: enhance('sharpness'),
  SharpnessIncreasing: enhanceMore('sharpness'),
  ShearX: moving(0.3, (bx) => ({ bx })),
  ShearY: moving(0.3, (ay) => ({ ay })),
  TranslateXRel: moving(0.45, (part, { width }) => ({ cx: part * width })),
  TranslateYRel: moving(0.45, (part, { height }) => ({ cy: part * height })),
} satisfies Record<string, Operation>;

export type OperationName = keyof typeof OPERATIONS;

/** Applies one operation with probability `p`; its magnitude is normal around `magnitude`, cut to 0…10. */
export function applyOperation(
  pixels: Pixels,
  view: View,
  { name, p, magnitude, std }: { name: OperationName; p: number; magnitude: number; std: number },
  random: Draws,
): View {
  if (p < 1 && random.next() >= p) return view;
  const drawn = std > 0 ? magnitude + std * random.normal() : magnitude;
  return OPERATIONS[name](pixels, view, Math.min(LARGEST, Math.max(0, drawn)) / LARGEST, random);
}
