/** From a position in the dataset to pixels. */
import type { Random } from '../random.ts';
import { cachedPixels, keepPixels, type PixelCacheStorage } from './pixel-cache.ts';
import type { Dataset, Label, PackedPixels, RawSample } from './sample.ts';

export interface Fetched {
  /** one, or one per data source; absent when one of them is bad */
  readonly pictures?: readonly PackedPixels[];
  /** -1 when the dataset failed before it told */
  readonly label: Label;
  readonly name: string;
  /** why the picture is bad */
  readonly reason?: string;
}

/** Never rejects: what goes wrong with one picture becomes its reason. */
export type Fetch = (index: number, random: Random) => Promise<Fetched>;

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Reads and decodes pictures of a dataset; small ones are kept in `cache`. */
export function fetcher(dataset: Dataset, cache: PixelCacheStorage | undefined): Fetch {
  let decoder: Promise<typeof import('./decode.ts')> | undefined;

  const decodeAnew = async (source: RawSample['source'], name: string) => {
    decoder ??= import('./decode.ts'); // a native library, which many datasets do without
    const { decodeImage } = await decoder;
    return decodeImage(source, { name, pixelLimit: dataset.pixelLimit });
  };
  const decode = async (index: number, name: string, source: RawSample['source']) => {
    if ('pixels' in source) return source;
    const kept = cache && cachedPixels(cache, index);
    if (kept) return kept;
    const picture = await decodeAnew(source, name);
    if (cache) keepPixels(cache, index, picture);
    return picture;
  };

  return async (index, random) => {
    let label: Label = -1;
    let name = `sample ${index}`;
    try {
      const raw = await dataset.read(index, random);
      label = raw.label;
      name = raw.name ?? name;
      const first = await decode(index, name, raw.source);
      const others = [];
      for (const source of raw.others ?? [])
        others.push(await decodeAnew(source, 'file' in source ? source.file : name));
      return { pictures: [first, ...others], label, name };
    } catch (error) {
      return { label, name, reason: messageOf(error) };
    }
  };
}
