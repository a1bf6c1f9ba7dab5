import { defineNode, T } from '../../runtime/node.ts';
import { indices, onBytes, ports, probability } from './parts.ts';

const bound = T.Number({ minimum: 0, maximum: 100 });

/** Blends with a 3×3 smoothing by a random factor: below 1 smoother, above 1 sharper. */
export default defineNode({
  type: 'transform/random_sharpness',
  role: 'transform',
  description: 'Sharpens or smooths each view by a random factor.',
  aliases: ['RandomSharpnessTransform'],
  params: T.Object({
    p: probability(1, 'probability of changing a view'),
    factor: T.Tuple([bound, bound], { default: [0.1, 1.9], description: 'range of the factor; 1 changes nothing' }),
    ...indices,
  }),
  ...ports,
  show: ['p', 'factor'],
  facts: (facts, params, problem) => {
    const [low, high] = params.factor;
    if (low > high) problem({ at: 'factor', message: `the range [${low}, ${high}] ends before it begins` });
    return onBytes(facts, params.indices, problem);
  },
  create: ({ params: { p, factor }, pixels }) => ({
    view: (view, random) => {
      if (random.next() < p) pixels.sharpness(view, random.uniform(factor[0], factor[1]));
      return view;
    },
  }),
});
