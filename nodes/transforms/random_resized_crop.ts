import { sampleResizedCrop } from '../../runtime/data/pixels/sample-crop.ts';
import { defineNode, T } from '../../runtime/node.ts';
import { checkBytes, checkIndices, eachView, indices, ports, range, resized } from './parts.ts';
import { heightWidth, interpolation, size } from './sizes.ts';

/**
 * A random box, resized: its area is a share drawn from `scale`, its aspect ratio log-uniform in `ratio`; after ten
 * boxes that do not fit, the largest central one. As torchvision's, draw for draw.
 */
export default defineNode({
  type: 'transform/random_resized_crop',
  role: 'transform',
  description: 'A random box of each view, resized to one size.',
  aliases: ['RandomResizedCrop'],
  params: T.Object({
    size: size('side of the result, or [height, width], in pixels'),
    scale: range([0.08, 1], 'range of the share of the area'),
    ratio: range([3 / 4, 4 / 3], 'range of the aspect ratio, width / height'),
    interpolation,
    ...indices,
  }),
  ...ports,
  show: ['size', 'scale'],
  facts: (facts, params, problem) => {
    checkBytes(facts, problem);
    checkIndices(facts, params.indices, problem);
    for (const at of ['scale', 'ratio'] as const) {
      const [low, high] = params[at];
      if (!(low > 0 && low <= high)) problem({ at, message: `[${low}, ${high}] is not a range of positive numbers` });
    }
    const [height, width] = heightWidth(params.size);
    return eachView(facts, params.indices, (view) => resized(view, height, width));
  },
  create: ({ params, pixels }) => {
    const [height, width] = heightWidth(params.size);
    const { scale, ratio, interpolation } = params;
    return {
      view: (view, random) => {
        const box = sampleResizedCrop(random, view.width, view.height, scale, ratio);
        return pixels.resize(view, width, height, { box, interpolation });
      },
    };
  },
});
