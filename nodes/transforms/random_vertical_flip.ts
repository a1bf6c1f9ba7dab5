import { defineNode, T } from '../../runtime/node.ts';
import { checkIndices, indices, ports, probability } from './parts.ts';

/** Mirrors each view top to bottom with probability p. */
export default defineNode({
  type: 'transform/random_vertical_flip',
  role: 'transform',
  description: 'Mirrors each view top to bottom with some probability.',
  aliases: ['RandomVerticalFlip'],
  params: T.Object({ p: probability(0.5, 'probability of mirroring a view'), ...indices }),
  ...ports,
  show: ['p'],
  facts: (facts, params, problem) => {
    checkIndices(facts, params.indices, problem);
    return facts;
  },
  create: ({ params: { p }, pixels }) => ({
    view: (view, random) => (random.next() < p ? pixels.flipVertical(view) : view),
  }),
});
