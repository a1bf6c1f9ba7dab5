import { defineNode, T } from '../../runtime/node.ts';
import { checkIndices, indices, ports } from './parts.ts';
import { drawMask } from './patch-mask.ts';
import { knownSize } from './sizes.ts';

const LOG_ASPECT = Math.log(1 / 0.3);

/**
 * Draws for each view which of its patches a model must not see; the view itself stays as it is. One of the ratios is
 * chosen at random, then the share of masked patches is uniform in mean ± var. iBOT, Zhou et al. 2021,
 * arXiv:2111.07832. The default range of the logarithm of the aspect is iBOT's, log 0.3 … log 1/0.3; VISSL takes
 * 0.3 … 1/0.3 for it.
 */
export default defineNode({
  type: 'transform/masked_image_modeling',
  role: 'transform',
  description: 'Draws a mask of the patches of each view, for models that predict what is masked (iBOT).',
  aliases: ['MaskedImageModeling'],
  params: T.Object({
    pred_ratio_mean: T.Array(T.Number({ minimum: 0, maximum: 1 }), {
      default: [0.3],
      minItems: 1,
      description: 'shares of patches to mask; one is chosen for each view',
    }),
    pred_ratio_var: T.Array(T.Number({ minimum: 0, maximum: 1 }), {
      default: [0],
      minItems: 1,
      description: 'how far each share varies to both sides, one per share',
    }),
    patch_size: T.Integer({ default: 16, minimum: 1, description: 'side of a patch in pixels' }),
    log_aspect_ratio: T.Tuple([T.Number(), T.Number()], {
      default: [-LOG_ASPECT, LOG_ASPECT],
      description: 'range of the logarithm of height / width of masked rectangles',
    }),
    ...indices,
  }),
  ...ports,
  show: ['pred_ratio_mean', 'patch_size'],
  facts: (facts, { pred_ratio_mean: mean, pred_ratio_var: spread, patch_size, log_aspect_ratio, indices }, problem) => {
    checkIndices(facts, indices, problem);
    if (mean.length !== spread.length) {
      const message = `pred_ratio_mean has ${mean.length} numbers, and pred_ratio_var ${spread.length}`;
      problem({ at: 'pred_ratio_var', message });
    }
    const beyond = mean.find((share, i) => share - (spread[i] ?? 0) < 0 || share + (spread[i] ?? 0) > 1);
    if (beyond !== undefined) {
      problem({ at: 'pred_ratio_var', message: `the share ${beyond} leaves 0…1 as it varies` });
    }
    if (log_aspect_ratio[0] > log_aspect_ratio[1]) {
      problem({ at: 'log_aspect_ratio', message: `the range [${log_aspect_ratio}] ends before it begins` });
    }
    const masks = facts.views.map((view, position) => {
      if (indices && !indices.includes(position)) return facts.masks?.[position];
      const known = knownSize(view);
      if (!known) {
        const message = `the size of view ${position} differs from image to image`;
        problem({ message, cure: 'Put it after the transforms that make one size' });
        return undefined;
      }
      return [[Math.floor(known.height / patch_size)], [Math.floor(known.width / patch_size)]];
    });
    return { ...facts, masks };
  },
  create: ({ params: { pred_ratio_mean: mean, pred_ratio_var: spread, patch_size, log_aspect_ratio } }) => ({
    view: (view, random) => {
      const which = random.integer(mean.length);
      const share =
        spread[which] > 0 ? random.uniform(mean[which] - spread[which], mean[which] + spread[which]) : mean[which];
      const grid = [Math.floor(view.height / patch_size), Math.floor(view.width / patch_size)] as const;
      return { ...view, mask: drawMask(random, grid, Math.trunc(grid[0] * grid[1] * share), log_aspect_ratio) };
    },
  }),
});
