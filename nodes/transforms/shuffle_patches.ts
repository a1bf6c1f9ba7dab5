import type { NodeProblem } from '../../graph/node-type.ts';
import { readPermutations } from '../../runtime/data/permutations.ts';
import { defineNode, T } from '../../runtime/node.ts';
import { checkPath } from '../datasets/paths.ts';
import { ports } from './parts.ts';

/**
 * Puts the views into the order of a random row of a file of permutations; the row becomes the label. Rows may count
 * from 0 or from 1. Jigsaw, Noroozi and Favaro 2016, arXiv:1603.09246.
 */
export default defineNode({
  type: 'transform/shuffle_patches',
  role: 'transform',
  description: 'Shuffles the patches of an image by a permutation, which becomes its label (Jigsaw).',
  aliases: ['ShuffleImgPatches'],
  params: T.Object({
    perm_file: T.String({ minLength: 1, description: '.npy file with one permutation of the patches per row' }),
  }),
  ...ports,
  show: ['perm_file'],
  facts: (facts) => ({ ...facts, labelled: true, labelSize: 1, classes: undefined }),
  check: async ({ params: { perm_file } }) => {
    const problem = await checkPath('perm_file', perm_file, 'file');
    if (problem) return [problem];
    try {
      readPermutations(perm_file);
      return [];
    } catch (error) {
      return [{ at: 'perm_file', message: (error as Error).message } satisfies NodeProblem];
    }
  },
  create: ({ params: { perm_file } }) => {
    const permutations = readPermutations(perm_file);
    return {
      sample: (sample, random) => {
        const row = random.integer(permutations.length);
        const order = permutations[row];
        if (order.length !== sample.views.length) {
          throw new RangeError(`${perm_file} permutes ${order.length} patches, and there are ${sample.views.length}`);
        }
        sample.views = Array.from(order, (k) => sample.views[k]);
        sample.label = row;
      },
    };
  },
});
