import { mkdir } from 'node:fs/promises';
import { isAbsolute, join, normalize } from 'node:path';
import { defineNode, once, T } from '../../runtime/node.ts';
import { type TensorSource, writeSafetensors } from '../../runtime/train/safetensors.ts';
import type { FeatureBank } from './feature-bank.ts';
import { writeNpyFiles } from './npy-files.ts';

/**
 * A bank as files below the run folder: VISSL's .npy files (rank0_<split>_<layer>_features, _targets, _inds), or one
 * safetensors file with features, labels and indices. One row per image, in the order of the dataset; with several ranks
 * the first writes all.
 */
export default defineNode({
  type: 'features/write',
  description: 'Writes features to files: .npy or safetensors.',
  aliases: ['extract_features'],
  role: 'artifact',
  params: T.Object({
    folder: T.String({ default: 'features', minLength: 1, description: 'below the run folder' }),
    split: T.String({ default: 'train', pattern: '^\\w+$', description: 'in the names of the files: train, test' }),
    layer: T.String({ default: 'heads', pattern: '^\\w+$', description: 'in the names of the files: res5, heads' }),
    format: T.Union([T.Literal('npy'), T.Literal('safetensors')], { default: 'npy', description: 'of the files' }),
  }),
  inputs: { bank: once.bank(['M', 'D']) },
  outputs: { files: once.table({ description: 'paths of the files, rows and width' }) },
  show: ['folder', 'layer', 'format'],
  create: ({ params, name, ranks, run, notice }) => {
    const { split, layer, format } = params;
    if (isAbsolute(params.folder) || normalize(params.folder).startsWith('..')) {
      throw new Error(`${name}: "${params.folder}" is not below the run folder. Give a relative path without ..`);
    }
    const folder = join(run.out, params.folder);
    return async (inputs) => {
      const bank = inputs.bank as FeatureBank;
      const { rows, width } = bank;
      if (ranks.rank > 0) return { files: { paths: [], rows, width } };
      await mkdir(folder, { recursive: true });
      const paths =
        format === 'npy'
          ? await writeNpyFiles(folder, split, layer, bank)
          : [await writeOne(join(folder, `${split}_${layer}.safetensors`), bank)];
      notice('info', `${rows} features of ${width} values are in ${paths[0]}`);
      return { files: { paths, rows, width } };
    };
  },
});

async function writeOne(
  path: string,
  { rows, width, features, labels, labelWidth, indices }: FeatureBank,
): Promise<string> {
  const tensors: TensorSource[] = [
    { name: 'features', dtype: 'F32', shape: [rows, width], read: () => features },
    { name: 'indices', dtype: 'I32', shape: [rows], read: () => indices },
  ];
  if (labels) {
    const shape = labelWidth === undefined ? [rows] : [rows, labelWidth];
    tensors.push({ name: 'labels', dtype: 'I32', shape, read: () => labels });
  }
  await writeSafetensors(path, tensors);
  return path;
}
