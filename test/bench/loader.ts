/**
 * CPU milliseconds per image of the whole loader: read, decode, augment, write to the batch. Wall time on a shared
 * machine swings; user + system time of the process, threads included, does not much.
 * Usage: node --import=tsx test/bench/loader.ts [recipe …]
 */
import { join } from 'node:path';
import { temporaryFolder, writePicture } from '../data/fixtures.ts';
import { type Given, type GivenLoader, loaderOf } from '../data/setup.ts';

const FILES = 200;
const tail: readonly Given[] = [{ type: 'transform/to_tensor' }, { type: 'transform/normalize', preset: 'imagenet' }];
const distortion: readonly Given[] = [
  { type: 'transform/random_horizontal_flip' },
  { type: 'transform/color_distortion' },
  { type: 'transform/gaussian_blur' },
];
const crops = (num_crops: number[], size_crops: number[], crop_scales: number[][]): Given => ({
  type: 'transform/multi_crop',
  num_crops,
  size_crops,
  crop_scales,
});

/** ms per image of PyTorch's DataLoader with torchvision 0.14 and Pillow 9.4, for comparison */
const recipes: Record<
  string,
  { transforms: readonly Given[]; collator: string; peer: number; width: number; height: number; suffix: string }
> = {
  'swav 2x224 + 4x96': {
    transforms: [
      crops(
        [2, 4],
        [224, 96],
        [
          [0.14, 1],
          [0.05, 0.14],
        ],
      ),
      ...distortion,
      ...tail,
    ],
    collator: 'multicrop',
    peer: 16.7,
    width: 500,
    height: 375,
    suffix: 'jpg',
  },
  'simclr 2x224': {
    transforms: [
      { type: 'transform/replicate' },
      { type: 'transform/random_resized_crop', size: 224 },
      ...distortion,
      ...tail,
    ],
    collator: 'simclr',
    peer: 11.3,
    width: 500,
    height: 375,
    suffix: 'jpg',
  },
  'supervised 1x224': {
    transforms: [
      { type: 'transform/random_resized_crop', size: 224 },
      { type: 'transform/random_horizontal_flip' },
      ...tail,
    ],
    collator: 'default',
    peer: 3.4,
    width: 500,
    height: 375,
    suffix: 'jpg',
  },
  'simclr 2x32 from 32x32 PNG': {
    transforms: [
      { type: 'transform/replicate' },
      { type: 'transform/random_resized_crop', size: 32 },
      ...distortion,
      ...tail,
    ],
    collator: 'simclr',
    peer: 1.02,
    width: 32,
    height: 32,
    suffix: 'png',
  },
};

async function measure(given: GivenLoader, epochs: number) {
  const loader = await loaderOf(given);
  const run = async (epoch: number) => {
    for await (const batch of loader.batches(epoch)) batch.release();
  };
  await run(0); // threads start, code warms up, small pictures are kept
  const cpu = process.cpuUsage();
  const wall = performance.now();
  for (let epoch = 1; epoch <= epochs; epoch++) await run(epoch);
  const { user, system } = process.cpuUsage(cpu);
  const images = epochs * loader.images;
  const seconds = (performance.now() - wall) / 1000;
  const stats = loader.stats();
  await loader.dispose();
  return {
    cpu: (user + system) / 1000 / images,
    perSecond: images / seconds,
    waited: stats.waited / (stats.batches || 1),
  };
}

const wanted = process.argv.slice(2);
for (const [name, recipe] of Object.entries(recipes)) {
  if (wanted.length > 0 && !wanted.some((word) => name.includes(word))) continue;
  const { path, remove } = temporaryFolder();
  let bytes = 0;
  for (let i = 0; i < FILES; i++) {
    bytes += (await writePicture(join(path, `${i}.${recipe.suffix}`), recipe.width, recipe.height, i)).length;
  }
  for (const workers of [0, 1, 2]) {
    const given: GivenLoader = {
      dataset: { type: 'dataset/disk_folder', path },
      transforms: recipe.transforms,
      collator: { type: `collator/${recipe.collator}`, batch_size: 50 },
      workers,
    };
    const { cpu, perSecond, waited } = await measure(given, recipe.width < 100 ? 20 : 3);
    process.stdout.write(
      `${name}, ${(bytes / FILES / 1024).toFixed(0)} KB files, ${workers} workers: ${cpu.toFixed(2)} CPU ms/image ` +
        `(PyTorch's best ${recipe.peer}), ${perSecond.toFixed(0)} images/s, waited ${waited.toFixed(0)} ms/batch\n`,
    );
  }
  await remove();
}
