import type { NodeProblem } from '../../graph/node-type.ts';
import { distantPermutations, readPermutations } from '../../runtime/data/permutations.ts';
import { defineNode, T } from '../../runtime/node.ts';
import { checkPath } from '../datasets/paths.ts';
import { ports } from './parts.ts';

/**
 * Puts the views into the order of one of some permutations, drawn at random; its number becomes the label. The
 * permutations are rows of a file, counting from 0 or from 1, or made to lie far apart; `pipe jigsaw-perms` writes such
 * files. Jigsaw, Noroozi and Favaro 2016, arXiv:1603.09246. Given with a file, `permutations` says how many classes there
 * are before it is read.
 */
export default defineNode({
  type: 'transform/shuffle_patches',
  role: 'transform',
  description: 'Shuffles the patches of an image by a permutation, which becomes its label (Jigsaw).',
  aliases: ['ShuffleImgPatches'],
  params: T.Object({
    perm_file: T.Optional(
      T.String({ minLength: 1, description: '.npy file with one permutation of the patches per row' }),
    ),
    permutations: T.Optional(
      T.Integer({
        minimum: 2,
        description: 'how many permutations: made, far apart from each other, or as many as the file has',
      }),
    ),
  }),
  ...ports,
  show: ['perm_file', 'permutations'],
  facts: (facts, { perm_file, permutations }, problem) => {
    if (perm_file === undefined && permutations === undefined) {
      problem({ message: 'it takes "perm_file" or "permutations"', cure: 'Give one of the two, or both' });
    }
    return { ...facts, labelled: true, labelSize: 1, classes: permutations };
  },
  check: async ({ params: { perm_file, permutations } }) => {
    if (perm_file === undefined) return [];
    const problem = await checkPath('perm_file', perm_file, 'file');
    if (problem) return [problem];
    try {
      const { length } = readPermutations(perm_file);
      if (permutations === undefined || permutations === length) return [];
      const message = `is ${permutations}, and ${perm_file} has ${length} permutations`;
      return [{ at: 'permutations', message, cure: `Say ${length}` } satisfies NodeProblem];
    } catch (error) {
      return [{ at: 'perm_file', message: (error as Error).message } satisfies NodeProblem];
    }
  },
  create: ({ params: { perm_file, permutations } }) => {
    let rows = perm_file === undefined ? undefined : readPermutations(perm_file);
    return {
      sample: (sample, random) => {
        rows ??= distantPermutations(sample.views.length, permutations!);
        const row = random.integer(rows.length);
        const order = rows[row];
        if (order.length !== sample.views.length) {
          throw new RangeError(`${perm_file} permutes ${order.length} patches, and there are ${sample.views.length}`);
        }
        sample.views = Array.from(order, (k) => sample.views[k]);
        sample.label = row;
      },
    };
  },
});
