import { defineNode, T } from '../../runtime/node.ts';
import { applyOperation } from './augment-ops.ts';
import { POLICIES } from './augment-policies.ts';
import { indices, onBytes, ports } from './parts.ts';

/**
 * One of 25 learned pairs of operations, drawn anew for each view, each operation with its own probability and
 * magnitude. Cubuk et al. 2019, arXiv:1805.09501; policies and magnitudes as VISSL's (timm's). Geometry is bilinear or
 * bicubic by chance, with gray where nothing is left.
 */
export default defineNode({
  type: 'transform/auto_augment',
  role: 'transform',
  description: 'A random pair of learned image operations (AutoAugment).',
  aliases: ['VisslAutoAugment'],
  params: T.Object({
    policy_name: T.Union([T.Literal('v0'), T.Literal('v0r'), T.Literal('original'), T.Literal('originalr')], {
      default: 'v0',
      description: "original: the paper's; v0: EfficientNet's; r: posterize keeps fewer bits as the magnitude grows",
    }),
    magnitude_std: T.Number({ default: 0, minimum: 0, description: 'standard deviation of each magnitude, of 0…10' }),
    ...indices,
  }),
  ...ports,
  show: ['policy_name'],
  facts: (facts, { indices }, problem) => onBytes(facts, indices, problem),
  create: ({ params: { policy_name, magnitude_std: std }, pixels }) => {
    const policy = POLICIES[policy_name];
    return {
      view: (view, random) =>
        policy[random.integer(policy.length)].reduce(
          (current, step) => applyOperation(pixels, current, { ...step, std }, random),
          view,
        ),
    };
  },
});
