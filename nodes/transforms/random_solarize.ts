import { defineNode, T } from '../../runtime/node.ts';
import { indices, onBytes, ports, probability } from './parts.ts';

const bound = T.Integer({ minimum: 0, maximum: 256 });

/** Inverts every byte at or above a random threshold with probability p. BYOL, Grill et al. 2020, arXiv:2006.07733. */
export default defineNode({
  type: 'transform/random_solarize',
  role: 'transform',
  description: 'Inverts the bright pixels of each view with some probability.',
  aliases: ['ImgPilRandomSolarize', 'RandomSolarizeTransform'],
  params: T.Object({
    p: probability(0.66, 'probability of changing a view'),
    threshold: T.Tuple([bound, bound], {
      default: [0, 256],
      description: 'range of the threshold, both ends included',
    }),
    ...indices,
  }),
  ...ports,
  show: ['p', 'threshold'],
  facts: (facts, params, problem) => {
    const [low, high] = params.threshold;
    if (low > high) problem({ at: 'threshold', message: `the range [${low}, ${high}] ends before it begins` });
    return onBytes(facts, params.indices, problem);
  },
  create: ({ params: { p, threshold }, pixels }) => ({
    view: (view, random) => {
      if (random.next() < p) pixels.solarize(view, threshold[0] + random.integer(threshold[1] - threshold[0] + 1));
      return view;
    },
  }),
});
