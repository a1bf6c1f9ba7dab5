/** Learned sub-policies of AutoAugment: pairs of operation, probability and magnitude. */
import type { OperationName } from './augment-ops.ts';

export interface PolicyStep {
  readonly name: OperationName;
  readonly p: number;
  readonly magnitude: number;
}

/** Cubuk et al. 2019, arXiv:1805.09501, table of the ImageNet policy. */
const PAPER = `
  Posterize .4 8, Rotate .6 9; Solarize .6 5, AutoContrast .6 5; Equalize .8 8, Equalize .6 3;
  Posterize .6 7, Posterize .6 6; Equalize .4 7, Solarize .2 4; Equalize .4 4, Rotate .8 8;
  Solarize .6 3, Equalize .6 7; Posterize .8 5, Equalize 1 2; Rotate .2 3, Solarize .6 8;
  Equalize .6 8, Posterize .4 6; Rotate .8 8, Color .4 0; Rotate .4 9, Equalize .6 2;
  Equalize 0 7, Equalize .8 8; Invert .6 4, Equalize 1 8; Color .6 4, Contrast 1 8;
  Rotate .8 8, Color 1 2; Color .8 8, Solarize .8 7; Sharpness .4 7, Invert .6 8;
  ShearX .6 5, Equalize 1 9; Color .4 0, Equalize .6 3; Equalize .4 7, Solarize .2 4;
  Solarize .6 5, AutoContrast .6 5; Invert .6 4, Equalize 1 8; Color .6 4, Contrast 1 8;
  Equalize .8 8, Equalize .6 3`;

/** The "v0" policy that EfficientNet was trained with (Tan and Le 2019, arXiv:1905.11946). */
const EFFICIENT_NET = `
  Equalize .8 1, ShearY .8 4; Color .4 9, Equalize .6 3; Color .4 1, Rotate .6 8;
  Solarize .8 3, Equalize .4 7; Solarize .4 2, Solarize .6 2; Color .2 0, Equalize .8 8;
  Equalize .4 8, SolarizeAdd .8 3; ShearX .2 9, Rotate .6 8; Color .6 1, Equalize 1 2;
  Invert .4 9, Rotate .6 0; Equalize 1 9, ShearY .6 3; Color .4 7, Equalize .6 0;
  Posterize .4 6, AutoContrast .4 7; Solarize .6 8, Color .6 9; Solarize .2 4, Rotate .8 9;
  Rotate 1 7, TranslateYRel .8 9; ShearX 0 0, Solarize .8 4; ShearY .8 0, Color .6 4;
  Color 1 0, Rotate .6 2; Equalize .8 4, Equalize 0 8; Equalize 1 4, AutoContrast .6 2;
  ShearY .4 7, SolarizeAdd .6 7; Posterize .8 2, Solarize .6 10; Solarize .6 8, Equalize .6 1;
  Color .8 6, Rotate .4 5`;

function parse(text: string, posterize: OperationName): readonly (readonly PolicyStep[])[] {
  return text.split(';').map((pair) =>
    pair.split(',').map((step) => {
      const [name, p, magnitude] = step.trim().split(/\s+/);
      return {
        name: name === 'Posterize' ? posterize : (name as OperationName),
        p: Number(p),
        magnitude: Number(magnitude),
      };
    }),
  );
}

/** By VISSL's names; those that end in r take the other reading of Posterize, which changes more as magnitude grows. */
export const POLICIES = {
  original: parse(PAPER, 'PosterizeOriginal'),
  originalr: parse(PAPER, 'PosterizeIncreasing'),
  v0: parse(EFFICIENT_NET, 'Posterize'),
  v0r: parse(EFFICIENT_NET, 'PosterizeIncreasing'),
} as const;
