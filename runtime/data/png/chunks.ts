/** What a PNG file says around its compressed pixels. W3C PNG, second edition. */
import { crc32 } from 'node:zlib';

export interface Header {
  readonly width: number;
  readonly height: number;
  /** bits of a sample */
  readonly depth: number;
  readonly colour: Colour;
}

export type Colour = 'gray' | 'rgb' | 'palette' | 'gray and alpha' | 'rgba';

export interface Png extends Header {
  /** three bytes a colour; only where the pixels are numbers of colours */
  readonly palette?: Uint8Array;
  /** pieces of one zlib stream */
  readonly data: readonly Uint8Array[];
}

interface Said {
  readonly header: Header;
  palette?: Uint8Array;
  transparent: boolean;
  readonly data: Uint8Array[];
  /** the data is over */
  after: boolean;
  /** chunks beside the pixels */
  aside: number;
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const COLOURS: readonly (Colour | undefined)[] = [
  'gray',
  undefined,
  'rgb',
  'palette',
  'gray and alpha',
  undefined,
  'rgba',
];
/** The sizes of chunks that pixels do not depend on here. */
const ASIDE: Readonly<Record<string, (size: number) => boolean>> = {
  gAMA: (size) => size === 4,
  cHRM: (size) => size === 32,
  sRGB: (size) => size === 1,
  pHYs: (size) => size === 9,
  tIME: (size) => size === 7,
  tEXt: (size) => size > 1,
};
/** A file with more of them is left to the library, which has limits of its own. */
const MOST_ASIDE = 16;

/** A whole file of up to 8 bits a sample, not interlaced, whose check sums are right; undefined for all others. */
export function readPng(bytes: Uint8Array): Png | undefined {
  if (SIGNATURE.some((value, i) => bytes[i] !== value)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let said: Said | undefined;
  for (let at = 8; at + 12 <= bytes.length; ) {
    const end = at + 8 + view.getUint32(at);
    if (end + 4 > bytes.length || crc32(bytes.subarray(at + 4, end)) !== view.getUint32(end)) return undefined;
    const type = String.fromCharCode(bytes[at + 4], bytes[at + 5], bytes[at + 6], bytes[at + 7]);
    const body = bytes.subarray(at + 8, end);
    if (said) {
      if (type === 'IEND') return body.length === 0 ? pngOf(said) : undefined;
      if (!note(said, type, body)) return undefined;
    } else {
      const header = type === 'IHDR' ? readHeader(body) : undefined;
      if (!header) return undefined;
      said = { header, transparent: false, data: [], after: false, aside: 0 };
    }
    at = end + 4;
  }
  return undefined;
}

function readHeader(body: Uint8Array): Header | undefined {
  if (body.length !== 13) return undefined;
  const view = new DataView(body.buffer, body.byteOffset, 13);
  const [depth, kind, compression, filter, interlace] = body.subarray(8);
  const colour = COLOURS[kind];
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const few = colour === 'gray' || colour === 'palette' ? [1, 2, 4, 8] : [8];
  if (!colour || !few.includes(depth) || compression || filter || interlace) return undefined;
  return width > 0 && height > 0 ? { width, height, depth, colour } : undefined;
}

/** Keeps what a chunk says; false when only a full decoder understands the file. */
function note(said: Said, type: string, body: Uint8Array): boolean {
  if (type === 'IDAT') {
    said.data.push(body);
    return !said.after;
  }
  said.after = said.data.length > 0;
  if (type === 'PLTE') return notePalette(said, body);
  if (type === 'tRNS') return noteTransparency(said, body.length);
  said.aside += 1;
  return said.aside <= MOST_ASIDE && Boolean(ASIDE[type]?.(body.length));
}

function notePalette(said: Said, body: Uint8Array): boolean {
  const { colour, depth } = said.header;
  if (colour !== 'palette' || said.palette || said.after) return false;
  said.palette = body;
  return body.length > 0 && body.length % 3 === 0 && body.length <= 3 << depth;
}

/** Transparency is dropped, wherever it is allowed. */
function noteTransparency(said: Said, size: number): boolean {
  const { header, palette, transparent, after } = said;
  if (transparent || after) return false;
  said.transparent = true;
  if (header.colour === 'palette') return palette !== undefined && size > 0 && size <= palette.length / 3;
  return size === (header.colour === 'gray' ? 2 : 6) && (header.colour === 'gray' || header.colour === 'rgb');
}

function pngOf({ header, palette, data }: Said): Png | undefined {
  return header.colour === 'palette' && !palette ? undefined : { ...header, palette, data };
}
