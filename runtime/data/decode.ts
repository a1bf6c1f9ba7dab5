import sharp, { type Metadata, type Sharp } from 'sharp';
import { decodeBmp } from './formats/bmp.ts';
import { TooManyPixels } from './formats/limit.ts';
import { decodeNetpbm } from './formats/netpbm.ts';
import { decodeBaseline } from './jpeg/decoder.ts';
import { decodePng } from './png/decoder.ts';
import { createFileReader } from './read-file.ts';
import type { PackedPixels, RawSample } from './sample.ts';
import { sniff } from './sniff.ts';

// Workers are the parallelism: one thread per decode, and no cache of files that will not be read again soon.
sharp.concurrency(1);
sharp.cache(false);

const readFile = createFileReader(() => performance.now());

/** Pillow's: beyond it a file is taken for a decompression bomb. */
export const PIXEL_LIMIT = 178_956_970;

export interface DecodeOptions {
  /** for messages; default the file's path, else "image" */
  readonly name?: string;
  /** largest width × height, checked before decoding; default 178,956,970 */
  readonly pixelLimit?: number;
}

/** A picture that cannot be read; the message names it, says why and what to do. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
}

/**
 * Packed RGB bytes of an encoded image, equal to Pillow's `convert('RGB')`: alpha is dropped, colour profiles and EXIF
 * orientation are not applied, CMYK is (255 - K)(255 - C) / 255, 16-bit gray is clipped to 255, of an animation the
 * first frame is taken. Reads JPEG, PNG, WebP, GIF, TIFF, AVIF, BMP, PBM, PGM, PPM. Pixels that are decoded already pass through.
 * Throws a DecodeError.
 */
export async function decodeImage(source: RawSample['source'], options: DecodeOptions = {}): Promise<PackedPixels> {
  if ('pixels' in source) return source;
  const name = options.name ?? ('file' in source ? source.file : 'image');
  const limit = options.pixelLimit ?? PIXEL_LIMIT;
  const bytes = 'encoded' in source ? source.encoded : await read(source.file, name);
  const kind = sniff(bytes);
  if (kind === 'empty') {
    throw new DecodeError(`cannot decode ${name}: the file is empty. Remove it from the dataset or fetch it again.`);
  }
  const picture = kind === 'jpeg' ? decodeBaseline(bytes, limit) : kind === 'png' ? decodePng(bytes, limit) : undefined;
  if (picture) return picture;
  try {
    if (kind === 'bmp') return decodeBmp(bytes, limit);
    if (kind === 'netpbm') return decodeNetpbm(bytes, limit);
    if (kind === 'plain' || kind === 'jpeg' || kind === 'png') return await decodePlain(bytes, limit);
    const facts = await open(bytes, limit).metadata();
    checkFormat(facts, name);
    if (facts.space === 'cmyk') return await decodeCmyk(bytes, limit);
    if (facts.space === 'grey16' && facts.channels === 1) return await decodeGray16(bytes, limit);
    return await decodePlain(bytes, limit);
  } catch (error) {
    throw error instanceof DecodeError ? error : await explain(error, bytes, name, limit);
  }
}

async function read(file: string, name: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : (cause as Error).message;
    throw new DecodeError(`cannot read ${name}: ${why}. Check the path and its permissions.`, { cause });
  }
}

function open(bytes: Uint8Array, limit: number): Sharp {
  return sharp(bytes, { ignoreIcc: true, failOn: 'truncated', limitInputPixels: limit });
}

async function decodePlain(bytes: Uint8Array, limit: number): Promise<PackedPixels> {
  const pipeline = open(bytes, limit).removeAlpha().toColourspace('srgb').raw();
  const { data, info } = await pipeline.toBuffer({ resolveWithObject: true });
  return { pixels: data, width: info.width, height: info.height, channels: info.channels };
}

async function decodeCmyk(bytes: Uint8Array, limit: number): Promise<PackedPixels> {
  const pipeline = open(bytes, limit).pipelineColourspace('cmyk').toColourspace('cmyk').raw();
  const { data, info } = await pipeline.toBuffer({ resolveWithObject: true });
  const pixels = new Uint8Array(info.width * info.height * 3);
  for (let from = 0, to = 0; to < pixels.length; from += info.channels, to += 3) {
    const light = 255 - data[from + 3];
    for (let c = 0; c < 3; c++) pixels[to + c] = Math.max(0, light - divide255(data[from + c] * light));
  }
  return { pixels, width: info.width, height: info.height, channels: 3 };
}

/** round(x / 255) for x up to 255² */
function divide255(x: number): number {
  const t = x + 128;
  return ((t >> 8) + t) >> 8;
}

async function decodeGray16(bytes: Uint8Array, limit: number): Promise<PackedPixels> {
  const pipeline = open(bytes, limit).toColourspace('grey16').raw({ depth: 'ushort' });
  const { data, info } = await pipeline.toBuffer({ resolveWithObject: true });
  const values = new Uint16Array(data.buffer, data.byteOffset, info.width * info.height);
  const pixels = new Uint8Array(values.length * 3);
  for (let i = 0; i < values.length; i++) pixels.fill(Math.min(values[i], 255), 3 * i, 3 * i + 3);
  return { pixels, width: info.width, height: info.height, channels: 3 };
}

/** Vector and document formats are drawn, not decoded: what they show depends on fonts and other files. */
function checkFormat(facts: Metadata, name: string): void {
  if (facts.format !== 'svg' && facts.format !== 'pdf') return;
  throw new DecodeError(
    `cannot decode ${name}: ${facts.format.toUpperCase()} is not a pixel format. Convert it to PNG.`,
  );
}

async function explain(cause: unknown, bytes: Uint8Array, name: string, limit: number): Promise<DecodeError> {
  const message = cause instanceof Error ? cause.message : String(cause);
  if (/exceeds pixel limit/i.test(message)) {
    const known = cause instanceof TooManyPixels ? cause : await open(bytes, Number.MAX_SAFE_INTEGER).metadata();
    const { width, height } = known;
    const size = width && height ? `${width}×${height} = ${width * height} pixels` : 'its pixels';
    const cure = `If the file can be trusted, raise the limit (pixel_limit of the dataset) above that.`;
    return new DecodeError(`cannot decode ${name}: ${size} are more than the limit of ${limit}. ${cure}`, { cause });
  }
  if (/unsupported image format/i.test(message)) {
    return new DecodeError(
      `cannot decode ${name}: not an image in a known format. Use JPEG, PNG, WebP, GIF, TIFF, AVIF, BMP or PPM.`,
      { cause },
    );
  }
  const why = message.split('\n')[0];
  return new DecodeError(`cannot decode ${name}: ${why}. The file is damaged: fetch it again or remove it.`, { cause });
}
