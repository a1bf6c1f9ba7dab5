import { defineNode, T } from '../../runtime/node.ts';
import { indices, onBytes, ports, probability } from './parts.ts';

const bound = T.Integer({ minimum: 0, maximum: 8 });

/** Keeps a random number of bits of every byte. */
export default defineNode({
  type: 'transform/random_posterize',
  role: 'transform',
  description: 'Keeps few bits of each value.',
  aliases: ['RandomPosterizeTransform'],
  params: T.Object({
    p: probability(1, 'probability of changing a view'),
    bits: T.Tuple([bound, bound], { default: [4, 8], description: 'range of the number of bits, both ends included' }),
    ...indices,
  }),
  ...ports,
  show: ['p', 'bits'],
  facts: (facts, params, problem) => {
    const [low, high] = params.bits;
    if (low > high) problem({ at: 'bits', message: `the range [${low}, ${high}] ends before it begins` });
    return onBytes(facts, params.indices, problem);
  },
  create: ({ params: { p, bits }, pixels }) => ({
    view: (view, random) => {
      if (random.next() < p) pixels.posterize(view, bits[0] + random.integer(bits[1] - bits[0] + 1));
      return view;
    },
  }),
});
