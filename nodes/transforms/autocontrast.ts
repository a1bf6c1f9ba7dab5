import { defineNode, T } from '../../runtime/node.ts';
import { indices, onBytes, ports, probability } from './parts.ts';

/** Stretches each channel from its least and greatest value to 0…255, with probability p. */
export default defineNode({
  type: 'transform/autocontrast',
  role: 'transform',
  description: 'Stretches each channel to the full range of values.',
  aliases: ['AutoContrastTransform', 'RandomAutocontrast'],
  params: T.Object({ p: probability(1, 'probability of changing a view'), ...indices }),
  ...ports,
  show: ['p'],
  facts: (facts, params, problem) => onBytes(facts, params.indices, problem),
  create: ({ params: { p }, pixels }) => ({
    view: (view, random) => {
      if (random.next() < p) pixels.autocontrast(view);
      return view;
    },
  }),
});
