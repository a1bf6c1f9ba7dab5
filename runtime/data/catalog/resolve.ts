/** What node reads a split of the catalog. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CatalogPaths } from './catalog.ts';

/** A dataset node: its type after "dataset/" and its params. */
export interface ResolvedDataset {
  readonly dataset: 'disk_folder' | 'disk_filelist' | 'pascal_voc' | 'coco';
  readonly [param: string]: unknown;
}

const kindOf = (path: string) =>
  stat(path).then(
    (found) => (found.isDirectory() ? 'folder' : 'file'),
    () => undefined,
  );

/**
 * A folder with Pascal VOC's or COCO's layout, a folder of images, or a list. Labels that do not exist are left out, so
 * that a placeholder may stand in their place. Throws an Error when the images do not exist.
 */
export async function resolveDataset([images, labels]: CatalogPaths, split: string): Promise<ResolvedDataset> {
  const kind = await kindOf(images);
  if (!kind) throw new Error(`there is no file or folder ${images}`);
  const labelled = labels !== undefined && (await kindOf(labels)) === 'file' ? labels : undefined;
  if (kind === 'file') return { dataset: 'disk_filelist', path: images, ...(labelled ? { labels: labelled } : {}) };
  const part = split === 'train' ? 'train' : 'val';
  if ((await kindOf(join(images, 'ImageSets', 'Main'))) === 'folder') {
    return { dataset: 'pascal_voc', path: images, split: part };
  }
  if ((await kindOf(join(images, 'annotations', `instances_${part}2014.json`))) === 'file') {
    return { dataset: 'coco', path: images, split: part };
  }
  return { dataset: 'disk_folder', path: images, ...(labelled ? { labels: labelled } : {}) };
}
