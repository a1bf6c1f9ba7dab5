/**
 * PNG to RGB in WebAssembly: small pictures in a tenth of the processor time of a general library, whose work for each
 * call is as much as for thousands of pixels. What it does not know, or is not whole, it leaves to that library.
 */
import type { PackedPixels } from '../sample.ts';
import binary from './binary.ts';
import { type Png, readPng } from './chunks.ts';

interface Exports {
  readonly memory: WebAssembly.Memory;
  inflate(from: number, to: number, out: number, size: number): number;
  unfilter(from: number, rows: number, height: number, bytes: number, pixel: number, zeros: number): number;
  fromRgba(rows: number, pixels: number, out: number): void;
  fromGray(rows: number, pixels: number, pixel: number, out: number): void;
  fromColours(
    rows: number,
    width: number,
    height: number,
    depth: number,
    colours: number,
    count: number,
    out: number,
  ): number;
}

/** Larger pictures would leave much memory behind. */
const LARGEST = 1 << 22;
const PAGE = 65536;
/** No Deflate stream becomes longer than this many times its bytes, and no honest one needs twice as many. */
const MOST_EXPANSION = 1032;
const SAMPLES = { gray: 1, palette: 1, rgb: 3, 'gray and alpha': 2, rgba: 4 } as const;

let wasm: Exports | undefined;
const instance = (): Exports => {
  wasm ??= new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(binary, 'base64')), {})
    .exports as unknown as Exports;
  return wasm;
};

/** Where things lie in the memory, from the second page on. */
function layout({ width, height, depth, colour }: Png, coded: number) {
  let next = PAGE;
  const take = (bytes: number): number => {
    const place = next;
    next += Math.ceil((bytes + 64) / 64) * 64;
    return place;
  };
  const rowBytes = Math.ceil((width * depth * SAMPLES[colour]) / 8);
  const size = height * (rowBytes + 1);
  const colours = take(256 * 4);
  const zeros = take(rowBytes);
  const data = take(coded + 1024);
  const filtered = take(size);
  const rows = take(height * rowBytes);
  const out = colour === 'rgb' ? rows : take(width * height * 3);
  return { rowBytes, size, colours, zeros, data, filtered, rows, out, bytes: next };
}

type Layout = ReturnType<typeof layout>;

/**
 * RGB pixels of a PNG file of up to 8 bits a sample, without interlace; undefined when it is another kind of file, damaged,
 * or of more pixels than `limit` or 4 million. Transparency is dropped, colour spaces are not applied.
 */
export function decodePng(bytes: Uint8Array, limit = LARGEST): PackedPixels | undefined {
  const png = readPng(bytes);
  if (!png || png.width * png.height > Math.min(limit, LARGEST)) return undefined;
  const { width, height, depth, colour, data } = png;
  const coded = data.reduce((sum, { length }) => sum + length, 0);
  const places = layout(png, coded);
  if (places.size > coded * MOST_EXPANSION || coded > 2 * places.size + 1024) return undefined;
  const exports = instance();
  const missing = places.bytes - exports.memory.buffer.byteLength;
  if (missing > 0) exports.memory.grow(Math.ceil(missing / PAGE));
  const memory = new Uint8Array(exports.memory.buffer);
  let end = places.data;
  for (const piece of data) {
    memory.set(piece, end);
    end += piece.length;
  }
  const { rowBytes, size, zeros, filtered, rows, out } = places;
  memory.fill(0, zeros, zeros + rowBytes);
  const pixel = Math.max(1, (depth * SAMPLES[colour]) >> 3);
  if (
    !exports.inflate(places.data, end, filtered, size) ||
    !exports.unfilter(filtered, rows, height, rowBytes, pixel, zeros) ||
    !write(exports, memory, png, places)
  ) {
    return undefined;
  }
  return { pixels: memory.slice(out, out + width * height * 3), width, height, channels: 3 };
}

/** False when a pixel has a number that is no colour's. */
function write(exports: Exports, memory: Uint8Array, png: Png, { rows, colours, out }: Layout): boolean {
  const { width, height, depth, colour } = png;
  if (colour === 'rgba') exports.fromRgba(rows, width * height, out);
  else if (depth === 8 && colour !== 'rgb' && colour !== 'palette') {
    exports.fromGray(rows, width * height, SAMPLES[colour], out);
  } else if (colour !== 'rgb') {
    const palette = png.palette ?? grays(depth);
    const count = palette.length / 3;
    for (let i = 0; i < palette.length; i++) memory[colours + i + Math.floor(i / 3)] = palette[i];
    return exports.fromColours(rows, width, height, depth, colours, count, out) !== 0;
  }
  return true;
}

/** Black to white in as many steps as there are. */
function grays(depth: number): Uint8Array {
  const last = (1 << depth) - 1;
  return Uint8Array.from({ length: 3 << depth }, (_, i) => (255 / last) * Math.floor(i / 3));
}
