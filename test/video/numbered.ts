/** Test videos whose frames say their own number: eleven squares, black or white, and a background that moves. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

const SQUARE = 16;
const BITS = 11;
export const WIDTH = SQUARE * (BITS + 1);
export const HEIGHT = 48;

/** Packed RGB. */
export function numberedFrame(number: number): Uint8Array {
  const pixels = new Uint8Array(WIDTH * HEIGHT * 3);
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const bit = Math.floor(x / SQUARE);
      const isSquare = y < SQUARE && bit < BITS;
      const value = isSquare ? ((number >> bit) & 1) * 255 : 128 + 60 * Math.sin((x + 3 * number) / 9 + y / 7);
      pixels.fill(value, (y * WIDTH + x) * 3, (y * WIDTH + x + 1) * 3);
    }
  }
  return pixels;
}

/** The number that a decoded frame shows. */
export function shownNumber(pixels: Uint8Array): number {
  let number = 0;
  for (let bit = 0; bit < BITS; bit++) {
    const middle = ((SQUARE / 2) * WIDTH + bit * SQUARE + SQUARE / 2) * 3;
    if (pixels[middle] > 128) number |= 1 << bit;
  }
  return number;
}

/** Encodes frames 0 … count - 1 at 25 frames a second; `args` are those of the output. */
export async function makeVideo(ffmpeg: string, file: string, count: number, args: readonly string[]): Promise<void> {
  const input = ['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', `${WIDTH}x${HEIGHT}`, '-r', '25', '-i', '-'];
  const child = spawn(ffmpeg, ['-v', 'error', '-y', ...input, ...args, file], { stdio: ['pipe', 'ignore', 'inherit'] });
  const closed = once(child, 'close');
  for (let i = 0; i < count; i++) {
    if (!child.stdin.write(numberedFrame(i))) await once(child.stdin, 'drain');
  }
  child.stdin.end();
  const [code] = await closed;
  if (code !== 0) throw new Error(`ffmpeg could not make ${file}`);
}
