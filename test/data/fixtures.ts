/** Picture files for tests, of pixels that are known. */
import { mkdtempSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { createRandom } from '../../runtime/random.ts';

export const temporaryFolder = (): { path: string; remove: () => Promise<void> } => {
  const path = mkdtempSync(join(tmpdir(), 'pipe-data-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
};

/** Smooth random colours with some detail, as photographs have them. */
export function picturePixels(width: number, height: number, seed: number): Buffer {
  const random = createRandom(seed, 'picture');
  const waves = Array.from({ length: 9 }, () => [
    random.uniform(0.5, 9),
    random.uniform(0.5, 9),
    random.uniform(0, 6.3),
  ]);
  const pixels = Buffer.alloc(width * height * 3);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++, at++) {
        let value = 128 + random.uniform(-8, 8);
        for (let k = c; k < 9; k += 3) {
          const [a, b, phase] = waves[k];
          value += 40 * Math.sin(((a * x) / width) * 6.3 + ((b * y) / height) * 6.3 + phase);
        }
        pixels[at] = Math.min(255, Math.max(0, value));
      }
    }
  }
  return pixels;
}

export async function writePicture(file: string, width: number, height: number, seed: number): Promise<Buffer> {
  await mkdir(dirname(file), { recursive: true });
  const pixels = picturePixels(width, height, seed);
  const image = sharp(pixels, { raw: { width, height, channels: 3 } });
  const encoded = await (file.endsWith('.png') ? image.png() : image.jpeg({ quality: 90 })).toBuffer();
  await writeFile(file, encoded);
  return encoded;
}

/** Class folders a, b, … of PNG files 00.png, 01.png, …; sizes differ. */
export async function writeClassFolders(root: string, classes: number, each: number): Promise<void> {
  for (let label = 0; label < classes; label++) {
    for (let i = 0; i < each; i++) {
      const name = `${String(i).padStart(2, '0')}.png`;
      await writePicture(join(root, String.fromCharCode(97 + label), name), 40 + i, 36 + label, label * 100 + i);
    }
  }
}
