/** Sizes that transforms take and make. */
import { type Static, Type as T } from '#typebox';
import type { Shape } from '../../graph/port.ts';
import type { View } from '../../runtime/data/sample.ts';

const side = T.Integer({ minimum: 1 });

/** A side, or [height, width]. */
export const size = (description: string) => T.Union([side, T.Tuple([side, side])], { description });
export type Size = Static<ReturnType<typeof size>>;

export const heightWidth = (given: Size): readonly [number, number] =>
  typeof given === 'number' ? [given, given] : given;

/** Height and width of a view, where both are known. */
export function knownSize([height, width]: Shape): { height: number; width: number } | undefined {
  if (height?.length !== 1 || width?.length !== 1) return undefined;
  const [[h], [w]] = [height, width];
  return typeof h === 'number' && typeof w === 'number' ? { height: h, width: w } : undefined;
}

/** Sizes of a picture whose shorter (or longer) side becomes `side`; the other is cut to a whole number of pixels. */
export function scaledTo(
  { width, height }: Pick<View, 'width' | 'height'>,
  side: number,
  which: 'shorter' | 'longer' = 'shorter',
): { width: number; height: number } {
  const narrow = width < height;
  if (narrow === (which === 'shorter')) return { width: side, height: Math.trunc((side * height) / width) };
  return { width: Math.trunc((side * width) / height), height: side };
}

/** Where a centred part of `part` pixels begins in `whole`; negative when it is larger (torchvision's center_crop). */
export function centred(whole: number, part: number): number {
  if (part > whole) return -Math.floor((part - whole) / 2);
  const half = (whole - part) / 2;
  const below = Math.floor(half);
  return half === below || below % 2 === 0 ? below : below + 1;
}

export const interpolation = T.Union([T.Literal('nearest'), T.Literal('bilinear'), T.Literal('bicubic')], {
  default: 'bilinear',
  description: 'how pixels are resampled; antialiased when shrinking, save nearest',
});
