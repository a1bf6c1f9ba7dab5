/**
 * CPU milliseconds per image of augmentation alone: from a decoded 500×375 picture to normalised float32 views.
 * Usage: node --import=tsx test/bench/pixels.ts [images]
 */
import { fileURLToPath } from 'node:url';
import { createPixelMemory } from '../../runtime/data/pixels/memory.ts';
import { createPixels, type Pixels } from '../../runtime/data/pixels/pixels.ts';
import { sampleResizedCrop } from '../../runtime/data/pixels/sample-crop.ts';
import { distortionRanges, sampleColorJitter } from '../../runtime/data/pixels/sample-jitter.ts';
import type { View } from '../../runtime/data/sample.ts';
import { createRandom, type Random } from '../../runtime/random.ts';

const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
const WIDTH = 500;
const HEIGHT = 375;

interface Crops {
  readonly size: number;
  readonly scale: readonly [number, number];
  readonly count: number;
}

const RECIPES: Record<string, readonly Crops[]> = {
  'SwAV 2×224 + 4×96': [
    { size: 224, scale: [0.14, 1], count: 2 },
    { size: 96, scale: [0.05, 0.14], count: 4 },
  ],
  'SimCLR 2×224': [{ size: 224, scale: [0.08, 1], count: 2 }],
};
const RANGES = distortionRanges(1);

/** Crop, mirror, colour distortion of strength 1, blur with probability one half, normalise into a slab. */
function augment(pixels: Pixels, picture: View, { size, scale }: Crops, random: Random, to: number): void {
  const box = sampleResizedCrop(random, WIDTH, HEIGHT, scale);
  const view = pixels.resize(picture, size, size, { box, flip: random.next() < 0.5 });
  if (random.next() < 0.8) pixels.jitter(view, sampleColorJitter(random, RANGES));
  if (random.next() < 0.2) pixels.grayscale(view);
  if (random.next() < 0.5) pixels.gaussianBlur(view, random.uniform(0.1, 2));
  pixels.toTensor(view, { normalize: IMAGENET, to });
}

/** A picture with gradients and texture, as a photograph has. */
function photograph(): Uint8Array {
  const random = createRandom(1);
  return Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => {
    const x = Math.floor(i / 3) % WIDTH;
    const y = Math.floor(i / 3 / WIDTH);
    return 128 + 90 * Math.sin(x / 40 + (i % 3)) * Math.cos(y / 30) + 20 * (random.next() - 0.5);
  });
}

/** @returns CPU milliseconds (user and system) per image, by recipe */
export function benchPixels(images = 200): Record<string, number> {
  const bytes = 16 << 20;
  const memory = createPixelMemory({ bytes: 2 * bytes });
  const pixels = createPixels(memory, { offset: 0, bytes });
  const picture = { pixels: photograph(), width: WIDTH, height: HEIGHT, channels: 3 };
  const time = (recipe: readonly Crops[], count: number) => {
    const before = process.cpuUsage();
    for (let i = 0; i < count; i++) {
      pixels.arena.reset();
      const source = pixels.put(picture);
      let to = bytes;
      for (const crops of recipe) {
        for (let k = 0; k < crops.count; k++) {
          augment(pixels, source, crops, createRandom(2, i, crops.size, k), to);
          to += crops.size * crops.size * 12;
        }
      }
    }
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000 / count;
  };
  return Object.fromEntries(
    Object.entries(RECIPES).map(([name, recipe]) => {
      time(recipe, 30); // until the compiler has settled
      return [name, time(recipe, images)];
    }),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, milliseconds] of Object.entries(benchPixels(Number(process.argv[2] ?? 200)))) {
    console.log(`${name}: ${milliseconds.toFixed(2)} CPU ms per image`);
  }
}
