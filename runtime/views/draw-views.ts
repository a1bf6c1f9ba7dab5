import { imageGrid } from '../figures/image-grid.ts';
import { imagePage } from '../figures/image-page.ts';
import { encodePng, type Picture } from '../figures/picture.ts';
import type { TakenViews } from './take-views.ts';

/** longest side of originals, which may be photographs of many megapixels */
const ORIGINAL = 256;
/** pictures smaller than this are enlarged in PNG files */
const SMALL = 96;

export interface ViewsTitle {
  readonly title: string;
  readonly notes: readonly string[];
}

/** A page: a row for each image, the original first, then its views under their sizes. */
export async function viewsPage({ samples, sizes }: TakenViews, { title, notes }: ViewsTitle): Promise<string> {
  const rows = await Promise.all(
    samples.map(async ({ name, label, bad, original, views }) => ({
      heading: [name, label, bad && `bad: ${bad}`].filter(Boolean).join(' · '),
      pictures: [original && (await fitted(original)), ...views],
    })),
  );
  const columns = ['original', ...sizes.map(([height, width], i) => `view ${i}: ${height}×${width}`)];
  return imagePage({ title, notes, columns, rows });
}

/** The same as a PNG without words: a row for each image, the original in front. */
export async function viewsPng({ samples }: TakenViews): Promise<Uint8Array> {
  const rows = await Promise.all(
    samples.map(async ({ original, views }) => [original && (await fitted(original)), ...views]),
  );
  const largest = Math.max(...rows.flat().map((picture) => Math.max(picture?.width ?? 0, picture?.height ?? 0)));
  return encodePng(imageGrid(rows, { scale: Math.max(1, Math.floor(SMALL / largest)) }));
}

async function fitted({ pixels, width, height, channels }: Picture): Promise<Picture> {
  if (Math.max(width, height) <= ORIGINAL) return { pixels, width, height, channels };
  const { default: sharp } = await import('sharp');
  const { data, info } = await sharp(pixels, { raw: { width, height, channels: channels as 1 | 3 } })
    .resize({ width: ORIGINAL, height: ORIGINAL, fit: 'inside' })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { pixels: data, width: info.width, height: info.height, channels: info.channels };
}
