import { defineNode, T } from '../../runtime/node.ts';
import { applyOperation, type OperationName } from './augment-ops.ts';
import { chooseByWeight } from './choose-by-weight.ts';
import { indices, onBytes, ports } from './parts.ts';

/** Operation, the one in its place that changes more as magnitude grows, and its weight where weights are used. */
const CHOICES: readonly (readonly [OperationName, OperationName, number])[] = [
  ['AutoContrast', 'AutoContrast', 0.025],
  ['Equalize', 'Equalize', 0.005],
  ['Invert', 'Invert', 0],
  ['Rotate', 'Rotate', 0.3],
  ['Posterize', 'PosterizeIncreasing', 0],
  ['Solarize', 'SolarizeIncreasing', 0.005],
  ['SolarizeAdd', 'SolarizeAdd', 0.005],
  ['Color', 'ColorIncreasing', 0.025],
  ['Contrast', 'ContrastIncreasing', 0.005],
  ['Brightness', 'BrightnessIncreasing', 0.005],
  ['Sharpness', 'SharpnessIncreasing', 0.025],
  ['ShearX', 'ShearX', 0.2],
  ['ShearY', 'ShearY', 0.2],
  ['TranslateXRel', 'TranslateXRel', 0.1],
  ['TranslateYRel', 'TranslateYRel', 0.1],
];
const WEIGHTS = CHOICES.map(([, , weight]) => weight);
const WEIGHTED = WEIGHTS.filter((weight) => weight > 0).length;

/**
 * num_layers operations drawn anew for each view, each applied with probability 0.5 at one magnitude. Cubuk et al. 2019,
 * arXiv:1909.13719; operations and magnitudes as VISSL's (timm's). Geometry is bilinear or bicubic by chance, with gray
 * where nothing is left.
 */
export default defineNode({
  type: 'transform/rand_augment',
  role: 'transform',
  description: 'A few random image operations of one magnitude (RandAugment).',
  aliases: ['RandAugment'],
  params: T.Object({
    magnitude: T.Number({ default: 10, minimum: 0, maximum: 10, description: 'how much operations change' }),
    magnitude_std: T.Number({ default: 0, minimum: 0, description: 'standard deviation of the magnitude' }),
    num_layers: T.Integer({ default: 2, minimum: 1, description: 'operations for each view' }),
    increasing_severity: T.Boolean({
      default: false,
      description: 'operations that all change more as the magnitude grows',
    }),
    weight_choice: T.Optional(
      T.Literal(0, { description: 'draw by fixed weights (mostly geometry) and none twice; default all alike' }),
    ),
    ...indices,
  }),
  ...ports,
  show: ['magnitude', 'num_layers'],
  facts: (facts, { num_layers, weight_choice, indices }, problem) => {
    if (weight_choice !== undefined && num_layers > WEIGHTED) {
      problem({ at: 'num_layers', message: `num_layers is ${num_layers}; ${WEIGHTED} operations have a weight` });
    }
    return onBytes(facts, indices, problem);
  },
  create: ({ params: { magnitude, magnitude_std: std, num_layers, increasing_severity, weight_choice }, pixels }) => ({
    view: (view, random) => {
      const chosen =
        weight_choice === undefined
          ? Array.from({ length: num_layers }, () => random.integer(CHOICES.length))
          : chooseByWeight(random, WEIGHTS, num_layers);
      return chosen.reduce((current, position) => {
        const name = CHOICES[position][increasing_severity ? 1 : 0];
        return applyOperation(pixels, current, { name, p: 0.5, magnitude, std }, random);
      }, view);
    },
  }),
});
