import { readPascalVoc } from '../../runtime/data/layouts/pascal-voc.ts';
import { defineNode, T } from '../../runtime/node.ts';
import { annotated, annotatedIndex, fileParams, openFiles } from './files.ts';
import { ports } from './parts.ts';
import { checkPath } from './paths.ts';

/** Pascal VOC's classification task; a label has a number per class: 1 present, 0 absent, -1 difficult or not said. */
export default defineNode({
  type: 'dataset/pascal_voc',
  role: 'dataset',
  description: 'Pascal VOC 2007 or 2012: images with 1, 0 or -1 for each of 20 classes.',
  aliases: ['voc2007_folder', 'voc2012_folder'],
  params: T.Object({
    path: T.String({
      minLength: 1,
      description: 'folder with ImageSets/Main and JPEGImages, such as VOCdevkit/VOC2007',
    }),
    split: T.Union([T.Literal('train'), T.Literal('val')], {
      default: 'train',
      description: 'train: trainval; val: test. Where there is no test set (2012): train and val',
    }),
    label_size: T.Integer({ default: 20, minimum: 1, description: 'number of classes' }),
    ...fileParams,
  }),
  ...ports,
  show: ['path', 'split'],
  facts: ({ label_size }) => annotated(label_size),
  check: async ({ params: { path } }) => {
    const problem = await checkPath('path', path, 'folder');
    return problem ? [problem] : [];
  },
  scan: async (context) => annotatedIndex(await readPascalVoc(context.params.path, context.params.split), context),
  open: ({ params }, index) => openFiles(params, index),
});
