/** BMP files, which sharp does not read: 1 to 32 bits, palettes, bit fields, RLE8. */
import type { PackedPixels } from '../sample.ts';
import { checkPixels } from './limit.ts';

const [NONE, RLE8, BIT_FIELDS, ALPHA_FIELDS] = [0, 1, 3, 6];

interface Header {
  readonly width: number;
  readonly height: number;
  /** rows from the top, not from the bottom */
  readonly topDown: boolean;
  readonly bits: number;
  readonly compression: number;
  /** first byte of the pixels */
  readonly pixels: number;
  readonly palette: Uint8Array;
  /** of red, green and blue */
  readonly masks: readonly number[];
}

/** RGB, alpha dropped, as Pillow's convert('RGB'). Throws an Error that says why not. */
export function decodeBmp(bytes: Uint8Array, pixelLimit: number): PackedPixels {
  const header = readHeader(bytes);
  const { width, height, topDown, bits, compression } = header;
  checkPixels(width, height, pixelLimit);
  const stride = Math.ceil((width * bits) / 32) * 4;
  const rows = compression === RLE8 ? unpackRle8(bytes, header) : bytes.subarray(header.pixels);
  const rowBytes = compression === RLE8 ? width : stride;
  if (rows.length < rowBytes * (height - 1) + Math.ceil((width * bits) / 8)) throw new Error('the file ends too early');
  const out = new Uint8Array(width * height * 3);
  const put = reader(header, rows);
  for (let y = 0; y < height; y++) {
    const row = (topDown ? y : height - 1 - y) * rowBytes;
    for (let x = 0; x < width; x++) put(row, x, out, (y * width + x) * 3);
  }
  return { pixels: out, width, height, channels: 3 };
}

function readHeader(bytes: Uint8Array): Header {
  if (bytes.length < 26) throw new Error('the file ends within its header');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const size = view.getUint32(14, true);
  const old = size === 12;
  if (!old && (size < 40 || size > 124 || bytes.length < 14 + size)) throw new Error(`its header has ${size} bytes`);
  const width = old ? view.getUint16(18, true) : view.getInt32(18, true);
  const signed = old ? view.getUint16(20, true) : view.getInt32(22, true);
  const bits = view.getUint16(old ? 24 : 28, true);
  const compression = old ? NONE : view.getUint32(30, true);
  const known = [1, 4, 8, 16, 24, 32].includes(bits);
  const fits =
    compression === NONE ||
    (compression === RLE8 && bits === 8) ||
    ((compression === BIT_FIELDS || compression === ALPHA_FIELDS) && (bits === 16 || bits === 32));
  if (!known || !fits) throw new Error(`BMP with ${bits} bits and compression ${compression} is not supported`);
  const fields = compression === BIT_FIELDS || compression === ALPHA_FIELDS;
  if (fields && bytes.length < 66) throw new Error('the file ends within its header');
  const masks = fields
    ? [54, 58, 62].map((at) => view.getUint32(at, true))
    : bits === 16
      ? [0x7c00, 0x3e0, 0x1f]
      : [0xff0000, 0xff00, 0xff];
  const said = old ? 0 : view.getUint32(46, true);
  const colors = bits > 8 ? 0 : said || 2 ** bits;
  const entry = old ? 3 : 4;
  const palette = new Uint8Array(3 * 256);
  const first = 14 + size;
  for (let k = 0; k < Math.min(colors, 256) && first + entry * k + 3 <= bytes.length; k++) {
    for (let c = 0; c < 3; c++) palette[3 * k + c] = bytes[first + entry * k + 2 - c];
  }
  const pixels = view.getUint32(10, true);
  return { width, height: Math.abs(signed), topDown: signed < 0, bits, compression, pixels, palette, masks };
}

type Put = (row: number, x: number, out: Uint8Array, to: number) => void;

/** Writes one pixel as RGB. */
function reader({ bits, palette, masks }: Header, rows: Uint8Array): Put {
  if (bits <= 8) {
    const perByte = 8 / bits;
    const mask = 2 ** bits - 1;
    return (row, x, out, to) => {
      const byte = rows[row + Math.floor(x / perByte)];
      const color = 3 * ((byte >> (8 - bits * (1 + (x % perByte)))) & mask);
      out.set(palette.subarray(color, color + 3), to);
    };
  }
  const bytes = bits / 8;
  const channels = masks.map((mask) => {
    const shift = mask === 0 ? 0 : 31 - Math.clz32(mask & -mask);
    return { shift, most: mask >>> shift };
  });
  return (row, x, out, to) => {
    let value = 0;
    for (let k = bytes - 1; k >= 0; k--) value = value * 256 + rows[row + x * bytes + k];
    channels.forEach(({ shift, most }, c) => {
      const level = Math.floor(value / 2 ** shift) & most;
      out[to + c] = most === 255 ? level : most === 0 ? 0 : Math.floor((level * 255) / most);
    });
  };
}

/** Runs of one byte; 0 0 ends a row, 0 1 the picture, 0 2 skips, 0 n takes n bytes as they are. */
function unpackRle8(bytes: Uint8Array, { width, height, pixels }: Header): Uint8Array {
  const out = new Uint8Array(width * height);
  let [at, x, y] = [pixels, 0, 0];
  while (at + 1 < bytes.length && y < height) {
    const [count, value] = [bytes[at], bytes[at + 1]];
    at += 2;
    if (count > 0) {
      out.fill(value, y * width + x, y * width + Math.min(width, x + count));
      x += count;
    } else if (value === 0) [x, y] = [0, y + 1];
    else if (value === 1) break;
    else if (value === 2) {
      x += bytes[at] ?? 0;
      y += bytes[at + 1] ?? 0;
      at += 2;
    } else {
      const taken = bytes.subarray(at, at + Math.min(value, Math.max(0, width - x)));
      out.set(taken, y * width + x);
      x += value;
      at += value + (value % 2);
    }
  }
  return out;
}
