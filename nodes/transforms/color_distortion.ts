import { distortionRanges, sampleColorJitter } from '../../runtime/data/pixels/sample-jitter.ts';
import { defineNode, T } from '../../runtime/node.ts';
import { indices, onBytes, ports } from './parts.ts';

const JITTER = 0.8;
const GRAY = 0.2;

/**
 * SimCLR's colour distortion: with probability 0.8 brightness, contrast and saturation by factors of 1 ± 0.8 s and hue
 * by ± 0.2 s in random order, then gray with probability 0.2. Chen et al. 2020, arXiv:2002.05709, appendix A.
 */
export default defineNode({
  type: 'transform/color_distortion',
  role: 'transform',
  description: "Colour jitter and random gray (SimCLR's colour distortion).",
  aliases: ['ImgPilColorDistortion'],
  params: T.Object({
    strength: T.Number({ default: 1, minimum: 0, maximum: 2.5, description: 'scale of the jitter' }),
    ...indices,
  }),
  ...ports,
  show: ['strength'],
  facts: (facts, params, problem) => onBytes(facts, params.indices, problem),
  create: ({ params: { strength }, pixels }) => {
    const ranges = distortionRanges(strength);
    return {
      view: (view, random) => {
        if (random.next() < JITTER) pixels.jitter(view, sampleColorJitter(random, ranges));
        if (random.next() < GRAY) pixels.grayscale(view);
        return view;
      },
    };
  },
});
