import type { PackedPixels } from '../data/sample.ts';

/** Pixels side by side: 1, 3 or 4 bytes each. */
export type Picture = PackedPixels;

/** PNG bytes. */
export async function encodePng({ pixels, width, height, channels }: Picture): Promise<Uint8Array> {
  const { default: sharp } = await import('sharp');
  return sharp(pixels, { raw: { width, height, channels: channels as 1 | 3 | 4 } })
    .png()
    .toBuffer();
}

/** `data:` address of the picture as PNG: figures hold all that they show. */
export const dataUrl = async (picture: Picture): Promise<string> =>
  `data:image/png;base64,${Buffer.from(await encodePng(picture)).toString('base64')}`;
