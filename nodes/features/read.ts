import { readdir } from 'node:fs/promises';
import { defineNode, once, T } from '../../runtime/node.ts';
import { mergeNpyFiles, npyName } from './npy-files.ts';

/**
 * Features that VISSL or features/write have written as .npy files, those of all ranks together: sorted by index, the
 * first of rows with one index.
 */
export default defineNode({
  type: 'features/read',
  description: 'Reads features from .npy files of VISSL or of features/write.',
  aliases: ['merge_features'],
  role: 'artifact',
  params: T.Object({
    folder: T.String({ minLength: 1, description: 'folder of the files' }),
    split: T.String({ default: 'train', description: 'in the names of the files: train, test' }),
    layer: T.String({ default: 'heads', description: 'in the names of the files: res5, heads' }),
  }),
  outputs: { bank: once.bank(['M', 'D']) },
  show: ['folder', 'split', 'layer'],
  check: async ({ params: { folder, split, layer } }) => {
    const names = await readdir(folder).catch(() => undefined);
    if (!names) return [{ at: 'folder', message: `there is no folder ${folder}` }];
    const ending = npyName(0, split, layer, 'features').slice('rank0'.length);
    if (names.some((name) => name.endsWith(ending))) return [];
    const others = names.filter((name) => name.endsWith('_features.npy')).slice(0, 5);
    return [
      {
        at: 'layer',
        message: `${folder} has no file rank…${ending}`,
        ...(others.length > 0 ? { cure: `It has ${others.join(', ')}` } : {}),
      },
    ];
  },
  create:
    ({ params: { folder, split, layer } }) =>
    async () => ({ bank: await mergeNpyFiles(folder, split, layer) }),
});
