/** VISSL's files of features: `rank<r>_<split>_<layer>_features.npy`, `…_targets.npy` and `…_inds.npy`. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { eachItem, readNpyHeader, withFile } from '../../runtime/data/npy.ts';
import { numberReader, readNpyLabels } from '../../runtime/data/npy-values.ts';
import { writeNpy } from '../../runtime/data/npy-write.ts';
import { type BankChunk, type FeatureBank, joinChunks } from './feature-bank.ts';

export const npyName = (rank: number, split: string, layer: string, what: 'features' | 'targets' | 'inds'): string =>
  `rank${rank}_${split}_${layer}_${what}.npy`;

/** Targets are [n, 1] for class indices, as VISSL has them, and indices int64. Returns the paths. */
export async function writeNpyFiles(
  folder: string,
  split: string,
  layer: string,
  bank: FeatureBank,
): Promise<string[]> {
  const { rows, width, features, labels, labelWidth = 1, indices } = bank;
  const path = (what: 'features' | 'targets' | 'inds') => join(folder, npyName(0, split, layer, what));
  await writeNpy(path('features'), { shape: [rows, width], values: features });
  await writeNpy(path('inds'), { shape: [rows], values: BigInt64Array.from(indices, BigInt) });
  if (!labels) return [path('features'), path('inds')];
  await writeNpy(path('targets'), { shape: [rows, labelWidth], values: BigInt64Array.from(labels, BigInt) });
  return [path('features'), path('inds'), path('targets')];
}

/**
 * The files of all ranks as one bank: sorted by index, the first row of an index wins.
 * @throws Error when there are none, or they do not fit together
 */
export async function mergeNpyFiles(folder: string, split: string, layer: string): Promise<FeatureBank> {
  const names = await readdir(folder);
  const ranks = names
    .map((name) => Number(/^rank(\d+)_/.exec(name)?.[1]))
    .filter((rank) => names.includes(npyName(rank, split, layer, 'features')))
    .filter((rank, i, all) => all.indexOf(rank) === i)
    .sort((a, b) => a - b);
  if (ranks.length === 0) {
    throw new Error(`${folder} has no ${npyName(0, split, layer, 'features')}, nor that of another rank`);
  }
  const chunks: BankChunk[] = [];
  let width: number | undefined;
  let labelWidth = 1;
  for (const rank of ranks) {
    const path = (what: 'features' | 'targets' | 'inds') => join(folder, npyName(rank, split, layer, what));
    const features = await readMatrix(path('features'));
    const { values: indices } = await readNpyLabels(path('inds'));
    if (indices.length !== features.rows) {
      throw new Error(`${path('features')} has ${features.rows} rows and ${path('inds')} ${indices.length}`);
    }
    if (width !== undefined && features.width !== width) {
      throw new Error(`${path('features')} has rows of ${features.width} values, and the files before it of ${width}`);
    }
    width = features.width;
    const targets = names.includes(npyName(rank, split, layer, 'targets'))
      ? await readNpyLabels(path('targets'))
      : undefined;
    if (targets && targets.rows !== features.rows) {
      throw new Error(`${path('targets')} has ${targets.rows} rows, and the features ${features.rows}`);
    }
    if (targets) labelWidth = targets.columns;
    chunks.push({ features: features.values, indices, ...(targets ? { labels: targets.values } : {}) });
  }
  return joinChunks(chunks, width!, labelWidth === 1 ? undefined : labelWidth);
}

async function readMatrix(path: string): Promise<{ rows: number; width: number; values: Float32Array }> {
  return withFile(path, async (handle) => {
    const header = await readNpyHeader(handle, path);
    const { shape, fortran } = header;
    if (shape.length < 2 || fortran) throw new Error(`${path} has the shape (${shape.join(', ')}); features are rows`);
    const read = numberReader(header, path);
    const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
    let next = 0;
    await eachItem(handle, header, path, (bytes, at) => {
      values[next++] = read(bytes, at);
    });
    return { rows: shape[0], width: values.length / Math.max(1, shape[0]), values };
  });
}
