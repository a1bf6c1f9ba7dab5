import { sampleResizedCrop } from '../../runtime/data/pixels/sample-crop.ts';
import { defineNode, T } from '../../runtime/node.ts';
import { checkBytes, checkIndices, eachView, indices, ports, range, resized } from './parts.ts';
import { cutPatches, patchGrid } from './patch-grid.ts';

/**
 * A random resized crop of each image, and the patches of a second one in random order. PIRL, Misra and van der Maaten
 * 2019, arXiv:1912.01991. VISSL's param permute_patches has no effect there: patches are always permuted. Its jitter is
 * always 21; here it is a param, for small images.
 */
export default defineNode({
  type: 'transform/patches_and_image',
  role: 'transform',
  description: 'A random crop of each image and shuffled patches of another crop (PIRL).',
  aliases: ['ImgPilToPatchesAndImage'],
  params: T.Object({
    crop_scale_image: range([0.08, 1], 'range of the share of the area that the image crop covers'),
    crop_size_image: T.Integer({ default: 224, minimum: 1, description: 'side of the image crop in pixels' }),
    crop_scale_patches: range([0.6, 1], 'range of the share of the area that the crop for patches covers'),
    crop_size_patches: T.Integer({ default: 255, minimum: 1, description: 'side of the crop for patches in pixels' }),
    num_patches: T.Integer({ default: 9, minimum: 1, description: 'number of patches, a square number' }),
    patch_jitter: T.Integer({ default: 21, minimum: 1, description: 'pixels by which patches are smaller than cells' }),
    ...indices,
  }),
  ...ports,
  show: ['crop_size_image', 'num_patches'],
  facts: (facts, params, problem) => {
    checkBytes(facts, problem);
    checkIndices(facts, params.indices, problem);
    const { crop_size_image, crop_size_patches, num_patches, patch_jitter } = params;
    const grid = patchGrid({ height: crop_size_patches, width: crop_size_patches }, num_patches, patch_jitter);
    if ('message' in grid) problem({ at: 'crop_size_patches', ...grid });
    const side = 'patch' in grid ? grid.patch : 1;
    return eachView(facts, params.indices, (view) => [
      resized(view, crop_size_image, crop_size_image),
      ...Array.from({ length: num_patches }, () => resized(view, side, side)),
    ]);
  },
  create: ({ params, pixels }) => {
    const { crop_scale_image, crop_size_image, crop_scale_patches, crop_size_patches } = params;
    const { num_patches, patch_jitter } = params;
    const grid = patchGrid({ height: crop_size_patches, width: crop_size_patches }, num_patches, patch_jitter);
    if ('message' in grid) throw new RangeError(grid.message);
    return {
      view: (view, random) => {
        const crop = (size: number, scale: [number, number]) =>
          pixels.resize(view, size, size, { box: sampleResizedCrop(random, view.width, view.height, scale) });
        const image = crop(crop_size_image, crop_scale_image);
        const patches = cutPatches(pixels, crop(crop_size_patches, crop_scale_patches), grid, random);
        return [image, ...Array.from(random.permutation(num_patches), (k) => patches[k])];
      },
    };
  },
});
