import { COCO_SPLITS, readCoco } from '../../runtime/data/layouts/coco.ts';
import { defineNode, T } from '../../runtime/node.ts';
import { annotated, annotatedIndex, fileParams, openFiles } from './files.ts';
import { ports } from './parts.ts';
import { checkPath } from './paths.ts';

/** COCO as a classification task; a label has a number per class: 1 where an object of it is in the image, else 0. */
export default defineNode({
  type: 'dataset/coco',
  role: 'dataset',
  description: 'COCO 2014: images with 1 or 0 for each of 80 classes.',
  aliases: ['coco2014_folder', 'coco_folder'],
  params: T.Object({
    path: T.String({ minLength: 1, description: 'folder with annotations, train2014 and val2014' }),
    split: T.Union(
      COCO_SPLITS.map((split) => T.Literal(split)),
      { default: 'train', description: 'which annotations: instances_<split>2014.json' },
    ),
    label_size: T.Integer({ default: 80, minimum: 1, description: 'number of classes' }),
    ...fileParams,
  }),
  ...ports,
  show: ['path', 'split'],
  facts: ({ label_size }) => annotated(label_size),
  check: async ({ params: { path, split } }) => {
    const problem =
      (await checkPath('path', path, 'folder')) ??
      (await checkPath('split', `${path}/annotations/instances_${split}2014.json`, 'file'));
    return problem ? [problem] : [];
  },
  scan: async (context) => {
    const { params, signal } = context;
    return annotatedIndex(await readCoco(params.path, params.split, signal), context);
  },
  open: ({ params }, index) => openFiles(params, index),
});
