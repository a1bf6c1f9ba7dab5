import { defineNode, T } from '../../runtime/node.ts';
import { indices, onBytes, ports, probability } from './parts.ts';

/** Three equal channels of luma (0.299 R + 0.587 G + 0.114 B) with probability p. */
export default defineNode({
  type: 'transform/random_grayscale',
  role: 'transform',
  description: 'Makes each view gray with some probability.',
  aliases: ['RandomGrayscale'],
  params: T.Object({ p: probability(0.1, 'probability of making a view gray'), ...indices }),
  ...ports,
  show: ['p'],
  facts: (facts, params, problem) => onBytes(facts, params.indices, problem),
  create: ({ params: { p }, pixels }) => ({
    view: (view, random) => {
      if (random.next() < p) pixels.grayscale(view);
      return view;
    },
  }),
});
