import { distortionRanges, sampleColorJitter } from '../../runtime/data/pixels/sample-jitter.ts';
import { defineNode, T } from '../../runtime/node.ts';
import { indices, onBytes, ports, probability } from './parts.ts';

/** The jitter of SimCLR's colour distortion alone: factors of 1 ± 0.8 s, hue ± 0.2 s. */
export default defineNode({
  type: 'transform/random_color_jitter',
  role: 'transform',
  description: 'Colour jitter with some probability.',
  aliases: ['ImgPilRandomColorJitter'],
  params: T.Object({
    strength: T.Number({ default: 1, minimum: 0, maximum: 2.5, description: 'scale of the jitter' }),
    p: probability(0.8, 'probability of changing a view'),
    ...indices,
  }),
  ...ports,
  show: ['strength', 'p'],
  facts: (facts, params, problem) => onBytes(facts, params.indices, problem),
  create: ({ params: { strength, p }, pixels }) => {
    const ranges = distortionRanges(strength);
    return {
      view: (view, random) => {
        if (random.next() < p) pixels.jitter(view, sampleColorJitter(random, ranges));
        return view;
      },
    };
  },
});
