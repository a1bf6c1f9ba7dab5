import { defineNode, T } from '../../runtime/node.ts';
import { checkIndices, eachView, indices, ports, resized } from './parts.ts';
import { cutPatches, patchGrid } from './patch-grid.ts';
import { knownSize } from './sizes.ts';

/**
 * Cuts each view into a grid of patches, each smaller than its cell and at a random place in it; column by column. For
 * Jigsaw, Noroozi and Favaro 2016, arXiv:1603.09246.
 */
export default defineNode({
  type: 'transform/patches',
  role: 'transform',
  description: 'Cuts each view into a grid of jittered patches (Jigsaw).',
  aliases: ['ImgPatchesFromTensor'],
  params: T.Object({
    num_patches: T.Integer({ default: 9, minimum: 1, description: 'number of patches, a square number' }),
    patch_jitter: T.Integer({ default: 21, minimum: 1, description: 'pixels by which patches are smaller than cells' }),
    ...indices,
  }),
  ...ports,
  show: ['num_patches'],
  facts: (facts, { num_patches, patch_jitter, indices }, problem) => {
    checkIndices(facts, indices, problem);
    return eachView(facts, indices, (view, position) => {
      const known = knownSize(view);
      const grid = known && patchGrid(known, num_patches, patch_jitter);
      if (!known) problem({ message: `the size of view ${position} is not known`, cure: 'Resize or crop before it' });
      else if (grid && 'message' in grid) problem(grid);
      const side = grid && 'patch' in grid ? grid.patch : 1;
      return Array.from({ length: num_patches }, () => resized(view, side, side));
    });
  },
  create: ({ params: { num_patches, patch_jitter }, pixels }) => ({
    view: (view, random) => {
      const grid = patchGrid(view, num_patches, patch_jitter);
      if ('message' in grid) throw new RangeError(grid.message);
      return cutPatches(pixels, view, grid, random);
    },
  }),
});
