/** What the first bytes of an image file say, as far as decoding depends on it. */
export type Sniffed =
  /** JPEG, gray or in three colours */
  | 'jpeg'
  /** PNG, but for 16-bit gray */
  | 'png'
  /** 8 bits, gray, palette or RGB, with or without alpha: the decoder's sRGB is right */
  | 'plain'
  /** CMYK, 16-bit gray, or a format whose header is not read here */
  | 'unsure'
  | 'bmp'
  | 'netpbm'
  | 'empty';

export function sniff(bytes: Uint8Array): Sniffed {
  if (bytes.length === 0) return 'empty';
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return jpegComponents(bytes) === 4 ? 'unsure' : 'jpeg';
  if (startsWith(bytes, '\x89PNG')) return bytes[24] === 16 && bytes[25] === 0 ? 'unsure' : 'png';
  if (startsWith(bytes, 'GIF8')) return 'plain';
  if (startsWith(bytes, 'RIFF') && startsWith(bytes.subarray(8), 'WEBP')) return 'plain';
  if (startsWith(bytes, 'BM')) return 'bmp';
  if (bytes[0] === 0x50 && bytes[1] >= 0x31 && bytes[1] <= 0x37) return 'netpbm';
  return 'unsure';
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[i] !== text.charCodeAt(i)) return false;
  return true;
}

/** Components of the frame header; undefined when the file ends before it. */
function jpegComponents(bytes: Uint8Array): number | undefined {
  let at = 2;
  while (at + 9 < bytes.length) {
    if (bytes[at] !== 0xff) return undefined;
    const marker = bytes[at + 1];
    if (marker === 0xff) {
      at++; // fill byte
      continue;
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (isFrame) return bytes[at + 9];
    const standalone = marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8);
    at += standalone ? 2 : 2 + bytes[at + 2] * 256 + bytes[at + 3];
  }
  return undefined;
}
