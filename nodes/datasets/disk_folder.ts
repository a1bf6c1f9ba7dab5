import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import type { Static } from '#typebox';
import type { NodeProblem } from '../../graph/node-type.ts';
import { StringTableBuilder } from '../../runtime/data/string-table.ts';
import { IMAGE_EXTENSIONS, imagesBelow, isImage, listFolder } from '../../runtime/data/walk.ts';
import { type DatasetContext, type DatasetIndex, defineNode, T } from '../../runtime/node.ts';
import { fileIndex, fileParams, localIndex, openFiles } from './files.ts';
import { readLabels } from './labels.ts';
import { ANY_SIZE, ports } from './parts.ts';
import { checkPath } from './paths.ts';

const params = T.Object({
  path: T.String({ minLength: 1, description: 'folder of images, or of one folder of images per class' }),
  labels: T.Union([T.Literal('auto'), T.Literal('folder'), T.Literal('none'), T.String({ pattern: '\\.npy$' })], {
    default: 'auto',
    description:
      'folder: the class is the position of the sub-folder among all, sorted; auto: the same, and 0 for images in a folder without sub-folders; none: no labels, all images in and below the folder; a .npy file: a number or a row of numbers per image, in the order of folder',
  }),
  label_size: T.Integer({
    default: 1,
    minimum: 1,
    description: 'numbers per label of a file: 1 for a class, more for multi-label',
  }),
  ...fileParams,
});

type Params = Static<typeof params>;

/** what lightly's tools write beside the images */
const LIGHTLY_OUTPUT = 'lightly_outputs';
const EXTENSIONS = IMAGE_EXTENSIONS.join(' ');

/** Walks the folder; class by class, and in each as torchvision's ImageFolder. */
export async function scanFolder(context: DatasetContext<Params>): Promise<DatasetIndex> {
  const { params, signal, notice } = context;
  const { path, labels } = params;
  const { folders: all, files } = await listFolder(path);
  const folders = all.filter((name) => name !== LIGHTLY_OUTPUT);
  const paths = new StringTableBuilder();
  const ends: number[] = [];
  const flat = labels === 'none' || (labels === 'auto' && folders.length === 0);
  if (flat) for (const image of await imagesBelow(path, signal)) paths.add(image);
  else {
    if (folders.length === 0) throw new RangeError(`${path} has no sub-folders to take classes from`);
    const loose = files.filter(isImage).length;
    if (loose > 0) {
      notice(
        'warning',
        `${path}: ${loose} images beside the class folders are left out`,
        'Set "labels": "none" to use them',
      );
    }
    for (const folder of folders) {
      const images = await imagesBelow(join(path, folder), signal);
      if (images.length === 0) notice('warning', `${path}: the class folder ${folder} has no images`);
      for (const image of images) paths.add(`${folder}/${image}`);
      ends.push(paths.length);
    }
  }
  if (paths.length === 0) throw new RangeError(`${path} has no images (${EXTENSIONS})`);
  let numbers: Int32Array | undefined;
  if (fromFile(labels)) numbers = await readLabels(labels, params.label_size, paths.length, path);
  else if (labels !== 'none') {
    numbers = new Int32Array(new SharedArrayBuffer(paths.length * 4));
    ends.forEach((end, label) => {
      numbers!.fill(label, label === 0 ? 0 : ends[label - 1], end);
    });
  }
  const index = {
    root: path,
    paths: paths.finish(),
    labels: numbers,
    labelSize: fromFile(labels) ? params.label_size : 1,
  };
  return fileIndex(index, params, flat || fromFile(labels) ? undefined : folders);
}

const fromFile = (labels: string): boolean => labels.endsWith('.npy');

/** Missing, empty and unreadable folders. */
async function check({ params: { path, labels } }: { params: Params }): Promise<NodeProblem[]> {
  const problem = await checkPath('path', path, 'folder');
  if (problem) return [problem];
  const missing = fromFile(labels) ? await checkPath('labels', labels, 'file') : undefined;
  if (missing) return [missing];
  const unreadable = await access(path, constants.R_OK | constants.X_OK).then(
    () => false,
    () => true,
  );
  if (unreadable) return [{ at: 'path', message: `${path} cannot be read`, cure: 'Check its permissions' }];
  const { folders, files } = await listFolder(path);
  if (folders.length > 0 || files.some(isImage)) return [];
  return [{ at: 'path', message: `${path} has no images (${EXTENSIONS}) and no sub-folders` }];
}

/** Images of a folder; classes from sub-folders where there are any. */
export default defineNode({
  type: 'dataset/disk_folder',
  role: 'dataset',
  description: 'Images of a folder, with one sub-folder per class or without.',
  aliases: ['disk_folder'],
  params,
  ...ports,
  show: ['path'],
  facts: ({ labels, label_size }) => ({
    views: [ANY_SIZE],
    dtype: 'uint8',
    labelled: labels !== 'none',
    ...(fromFile(labels) ? { labelSize: label_size } : {}),
  }),
  check,
  scan: async (context) => localIndex(await scanFolder(context), context),
  open: ({ params }, index) => openFiles(params, index),
});
