import { defineNode, nested, T } from '../../runtime/node.ts';
import { appliedFacts } from './applied-facts.ts';
import { applyTo } from './apply.ts';
import { checkIndices, indices, ports, probability } from './parts.ts';

/** All of some transforms, or none. The transforms inside keep the size of a view, unless p is 0 or 1. */
export default defineNode({
  type: 'transform/random_apply',
  role: 'transform',
  description: 'Applies a list of transforms to each view with some probability.',
  aliases: ['RandomApply'],
  params: T.Object({
    transforms: T.Array(nested('transform', { description: 'a transform' }), {
      minItems: 1,
      description: 'transforms, applied one after the other',
    }),
    p: probability(0.5, 'probability of applying them'),
    ...indices,
  }),
  ...ports,
  show: ['transforms', 'p'],
  facts: (facts, { transforms, p, indices }, problem, inner) => {
    checkIndices(facts, indices, problem);
    return appliedFacts(
      facts,
      transforms,
      (position) => (!indices || indices.includes(position) ? p : 0),
      problem,
      inner,
    );
  },
  create: ({ params: { transforms, p }, nested }) => {
    const inner = transforms.map((node) => nested(node as Exclude<typeof node, number>));
    return {
      view: (view, random, position) => (random.next() < p ? applyTo(view, inner, random, position) : view),
    };
  },
});
