/** What loader.ts compares: augmentations of SimCLR, SwAV and supervised training, as in loader_peer.py. */
import type { Given } from '../data/setup.ts';

export interface Recipe {
  /** its name in loader_peer.py */
  readonly peer: string;
  readonly transforms: readonly Given[];
  readonly collator: string;
  readonly width: number;
  readonly height: number;
  readonly suffix: 'jpg' | 'png';
  /** decoded pixels are kept in memory; else every epoch reads and decodes the files */
  readonly memory: boolean;
  readonly files: number;
}

const tail: readonly Given[] = [{ type: 'transform/to_tensor' }, { type: 'transform/normalize', preset: 'imagenet' }];
const distortion: readonly Given[] = [
  { type: 'transform/random_horizontal_flip' },
  { type: 'transform/color_distortion' },
  { type: 'transform/gaussian_blur' },
];
const simclr = (size: number): readonly Given[] => [
  { type: 'transform/replicate' },
  { type: 'transform/random_resized_crop', size },
  ...distortion,
  ...tail,
];
const photographs = { width: 500, height: 375, suffix: 'jpg', memory: false, files: 200 } as const;
const small = { width: 32, height: 32, suffix: 'png', files: 2000 } as const;

export const recipes: Readonly<Record<string, Recipe>> = {
  simclr: { peer: 'simclr', transforms: simclr(224), collator: 'simclr', ...photographs },
  swav: {
    peer: 'swav',
    transforms: [
      {
        type: 'transform/multi_crop',
        num_crops: [2, 4],
        size_crops: [224, 96],
        crop_scales: [
          [0.14, 1],
          [0.05, 0.14],
        ],
      },
      ...distortion,
      ...tail,
    ],
    collator: 'multicrop',
    ...photographs,
  },
  supervised: {
    peer: 'supervised',
    transforms: [
      { type: 'transform/random_resized_crop', size: 224 },
      { type: 'transform/random_horizontal_flip' },
      ...tail,
    ],
    collator: 'default',
    ...photographs,
  },
  'small-disk': { peer: 'small', transforms: simclr(32), collator: 'simclr', ...small, memory: false },
  'small-memory': { peer: 'small', transforms: simclr(32), collator: 'simclr', ...small, memory: true },
};
