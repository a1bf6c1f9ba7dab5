/** Damaged picture files, made from whole ones. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { createRandom, type Random } from '../../runtime/random.ts';
import { picturePixels } from './fixtures.ts';

/** Small pictures in every format that is read. */
async function seeds(): Promise<{ suffix: string; bytes: Buffer }[]> {
  const image = (width: number, height: number, seed: number) =>
    sharp(picturePixels(width, height, seed), { raw: { width, height, channels: 3 } });
  return [
    { suffix: 'jpg', bytes: await image(61, 43, 1).jpeg().toBuffer() },
    { suffix: 'jpg', bytes: await image(48, 64, 2).jpeg({ progressive: true, chromaSubsampling: '4:4:4' }).toBuffer() },
    { suffix: 'png', bytes: await image(37, 29, 3).png().toBuffer() },
    { suffix: 'png', bytes: await image(40, 40, 4).png({ palette: true }).toBuffer() },
    { suffix: 'webp', bytes: await image(50, 33, 5).webp().toBuffer() },
    { suffix: 'gif', bytes: await image(32, 45, 6).gif().toBuffer() },
    { suffix: 'tif', bytes: await image(44, 31, 7).tiff().toBuffer() },
  ];
}

/** Some bytes changed, a piece cut off, taken out, doubled, or zeroed; headers are hit more often than the rest. */
function mutate(bytes: Buffer, random: Random): Buffer {
  const out = Buffer.from(bytes);
  const place = () => (random.next() < 0.5 ? random.integer(Math.min(out.length, 64)) : random.integer(out.length));
  switch (random.integer(5)) {
    case 0:
      for (let k = 1 + random.integer(8); k > 0; k--) out[place()] = random.integer(256);
      return out;
    case 1:
      return out.subarray(0, random.integer(out.length));
    case 2: {
      const from = place();
      return Buffer.concat([out.subarray(0, from), out.subarray(from + 1 + random.integer(40))]);
    }
    case 3: {
      const from = place();
      const piece = out.subarray(from, from + 1 + random.integer(40));
      return Buffer.concat([out.subarray(0, from), piece, out.subarray(from)]);
    }
    default: {
      const from = place();
      return out.fill(random.next() < 0.5 ? 0 : 255, from, Math.min(out.length, from + 1 + random.integer(16)));
    }
  }
}

/** Writes `count` damaged files, with every tenth left whole. */
export async function writeMutants(folder: string, count: number, seed: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  const whole = await seeds();
  const random = createRandom(seed, 'mutants');
  for (let i = 0; i < count; i++) {
    const { suffix, bytes } = whole[i % whole.length];
    const content = i % 10 === 0 ? bytes : mutate(bytes, random);
    await writeFile(join(folder, `${String(i).padStart(6, '0')}.${suffix}`), content);
  }
}
