import { defineNode, nested, T } from '../../runtime/node.ts';
import { appliedFacts } from './applied-facts.ts';
import { applyTo } from './apply.ts';
import { ports } from './parts.ts';

/**
 * Applies transforms to each view with a probability of its own. BYOL solarizes the second view only: prob [0, 0.2].
 * The transforms inside keep the size of a view, unless its probability is 0 or 1.
 */
export default defineNode({
  type: 'transform/multi_crop_random_apply',
  role: 'transform',
  description: 'Applies transforms to each view with a probability of its own (BYOL).',
  aliases: ['ImgPilMultiCropRandomApply'],
  params: T.Object({
    transforms: T.Array(nested('transform', { description: 'a transform' }), {
      minItems: 1,
      description: 'transforms, applied one after the other',
    }),
    prob: T.Array(T.Number({ minimum: 0, maximum: 1 }), { minItems: 1, description: 'one probability per view' }),
  }),
  ...ports,
  show: ['transforms', 'prob'],
  facts: (facts, { transforms, prob }, problem, inner) => {
    if (prob.length !== facts.views.length) {
      problem({ at: 'prob', message: `prob has ${prob.length} entries, and samples have ${facts.views.length} views` });
    }
    return appliedFacts(facts, transforms, (position) => prob[position] ?? 0, problem, inner);
  },
  create: ({ params: { transforms, prob }, nested }) => {
    const inner = transforms.map((node) => nested(node as Exclude<typeof node, number>));
    return {
      view: (view, random, position) =>
        random.next() < prob[position] ? applyTo(view, inner, random, position) : view,
    };
  },
});
