import { readFile, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import sharp, { type Metadata } from 'sharp';
import { decodeImage, PIXEL_LIMIT } from '../decode.ts';
import { sniff } from '../sniff.ts';

export interface ImageFacts {
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
  /** jpeg, png, … */
  readonly format: string;
  /** colours as they are stored: srgb, b-w, cmyk, rgb16, … */
  readonly colors: string;
}

export interface BadImage {
  readonly path: string;
  readonly reason: string;
}

export interface Headers {
  readonly images: readonly ImageFacts[];
  readonly bad: readonly BadImage[];
}

/**
 * Reads the headers of these images, paths relative to the folder, several at a time; with `decode` all of each image,
 * which also finds files that are cut off. Throws the signal's reason.
 */
export async function readHeaders(
  folder: string,
  paths: readonly string[],
  options: { readonly decode: boolean; readonly signal: AbortSignal; readonly onImage?: (done: number) => void },
): Promise<Headers> {
  const images: ImageFacts[] = [];
  const bad: BadImage[] = [];
  let next = 0;
  let done = 0;
  const work = async (): Promise<void> => {
    for (let i = next++; i < paths.length; i = next++) {
      options.signal.throwIfAborted();
      try {
        images.push(await look(join(folder, paths[i]), paths[i], options.decode));
      } catch (error) {
        bad.push({ path: paths[i], reason: reasonOf(error, paths[i]) });
      }
      options.onImage?.(++done);
    }
  };
  await Promise.all(Array.from({ length: Math.min(16, 2 * availableParallelism()) }, work));
  return { images, bad: bad.sort((a, b) => (a.path < b.path ? -1 : 1)) };
}

async function look(file: string, name: string, decode: boolean): Promise<ImageFacts> {
  const { size } = await stat(file);
  if (size === 0) throw new Error('the file is empty');
  if (decode) await decodeImage({ file }, { name });
  const { width, height, format, space } = await header(file, name);
  if (width * height > PIXEL_LIMIT)
    throw new Error(`${width}×${height} pixels are more than the limit of ${PIXEL_LIMIT}`);
  return { width, height, bytes: size, format, colors: space };
}

/** Formats that sharp does not read are read whole. */
async function header(
  file: string,
  name: string,
): Promise<Pick<Metadata, 'width' | 'height'> & { format: string; space: string }> {
  try {
    const { width, height, format, space } = await sharp(file, { limitInputPixels: false }).metadata();
    return { width, height, format: String(format), space: String(space) };
  } catch (error) {
    const kind = sniff(await readFile(file));
    if (kind !== 'bmp' && kind !== 'netpbm') throw error;
    const { width, height } = await decodeImage({ file }, { name });
    return { width, height, format: kind, space: 'srgb' };
  }
}

function reasonOf(error: unknown, name: string): string {
  const message = (error instanceof Error ? error.message : String(error)).split('\n')[0];
  if (/unsupported image format/i.test(message)) return 'not an image in a known format';
  return message.replace(`cannot decode ${name}: `, '').replace(/^Input file: /, '');
}
