import { defineNode, T } from '../../runtime/node.ts';
import { indices, onBytes, ports, probability, range } from './parts.ts';

/** Gaussian blur, as Pillow's three box passes a side, with a radius (standard deviation) drawn from a range. */
export default defineNode({
  type: 'transform/gaussian_blur',
  role: 'transform',
  description: 'Blurs each view with some probability.',
  aliases: ['ImgPilGaussianBlur'],
  params: T.Object({
    p: probability(0.5, 'probability of blurring a view'),
    radius: range([0.1, 2], 'range of the standard deviation in pixels'),
    ...indices,
  }),
  ...ports,
  show: ['p', 'radius'],
  facts: (facts, params, problem) => {
    const [low, high] = params.radius;
    if (low > high) problem({ at: 'radius', message: `the range [${low}, ${high}] ends before it begins` });
    return onBytes(facts, params.indices, problem);
  },
  create: ({ params: { p, radius }, pixels }) => ({
    view: (view, random) => {
      if (random.next() < p) pixels.gaussianBlur(view, random.uniform(radius[0], radius[1]));
      return view;
    },
  }),
});
