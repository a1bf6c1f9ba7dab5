import { sampleResizedCrop } from '../../runtime/data/pixels/sample-crop.ts';
import type { View } from '../../runtime/data/sample.ts';
import { defineNode, T } from '../../runtime/node.ts';
import { checkBytes, checkIndices, eachView, indices, ports, resized } from './parts.ts';

const lists = ['num_crops', 'size_crops', 'crop_scales'] as const;

/**
 * Random resized crops of several sizes: num_crops[i] crops of size_crops[i]² pixels that cover a share of the area
 * drawn from crop_scales[i], aspect log-uniform in 3/4…4/3, bilinear. All crops of the first size come first.
 * SwAV, Caron et al. 2020, arXiv:2006.09882.
 */
export default defineNode({
  type: 'transform/multi_crop',
  role: 'transform',
  description: 'Random crops of several sizes from each image (SwAV).',
  aliases: ['ImgPilToMultiCrop'],
  params: T.Object({
    num_crops: T.Array(T.Integer({ minimum: 1 }), { minItems: 1, description: 'crops of each size' }),
    size_crops: T.Array(T.Integer({ minimum: 1 }), { minItems: 1, description: 'side of the crops in pixels' }),
    crop_scales: T.Array(T.Tuple([T.Number({ exclusiveMinimum: 0 }), T.Number({ exclusiveMinimum: 0 })]), {
      minItems: 1,
      description: 'range of the share of the area that crops of each size cover',
    }),
    total_num_crops: T.Optional(T.Integer({ minimum: 1, description: 'sum of num_crops, checked when given' })),
    ...indices,
  }),
  ...ports,
  show: ['num_crops', 'size_crops'],
  facts: (facts, params, problem) => {
    checkBytes(facts, problem);
    checkIndices(facts, params.indices, problem);
    const { num_crops, size_crops, crop_scales, total_num_crops } = params;
    if (new Set(lists.map((name) => params[name].length)).size > 1) {
      const lengths = lists.map((name) => `${name} has ${params[name].length}`).join(', ');
      problem({ at: 'num_crops', message: `${lengths}: give one entry per size of crop in each` });
    }
    const sum = num_crops.reduce((a, b) => a + b, 0);
    if (total_num_crops !== undefined && total_num_crops !== sum) {
      problem({
        at: 'total_num_crops',
        message: `total_num_crops is ${total_num_crops}, and num_crops add up to ${sum}`,
        cure: 'Leave total_num_crops out',
      });
    }
    const turned = crop_scales.find(([low, high]) => low > high);
    if (turned) problem({ at: 'crop_scales', message: `the range [${turned}] ends before it begins` });
    return eachView(facts, params.indices, (view) =>
      num_crops.flatMap((crops, i) => Array.from({ length: crops }, () => resized(view, size_crops[i], size_crops[i]))),
    );
  },
  create: ({ params: { num_crops, size_crops, crop_scales }, pixels }) => ({
    view: (view, random) => {
      const crops: View[] = [];
      num_crops.forEach((count, i) => {
        const size = size_crops[i];
        for (let n = 0; n < count; n++) {
          const box = sampleResizedCrop(random, view.width, view.height, crop_scales[i]);
          crops.push(pixels.resize(view, size, size, { box }));
        }
      });
      return crops;
    },
  }),
});
