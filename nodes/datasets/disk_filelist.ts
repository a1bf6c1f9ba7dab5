import { access, stat } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import type { Static } from '#typebox';
import type { NodeProblem } from '../../graph/node-type.ts';
import type { PathList } from '../../runtime/data/path-entries.ts';
import { LIST_FORMATS, readPathList } from '../../runtime/data/path-list.ts';
import { stringAt } from '../../runtime/data/string-table.ts';
import { type DatasetIndex, defineNode, T } from '../../runtime/node.ts';
import { fileIndex, fileParams, localIndex, openFiles } from './files.ts';
import { readLabels } from './labels.ts';
import { ANY_SIZE, ports } from './parts.ts';
import { checkPath } from './paths.ts';

const params = T.Object({
  path: T.String({
    minLength: 1,
    description: `list of image files, ${LIST_FORMATS}; .json, .txt and .csv may have a label beside each path, .json also lists of positive and negative classes`,
  }),
  labels: T.Optional(
    T.String({
      minLength: 1,
      description: 'labels in a .npy file, a number or a row of numbers per image; "none" for no labels',
    }),
  ),
  label_size: T.Integer({
    default: 1,
    minimum: 1,
    description: 'numbers per label: 1 for a class, more for multi-label',
  }),
  root: T.Optional(T.String({ description: 'folder that relative paths start from; default the folder of the list' })),
  ...fileParams,
});

type Params = Static<typeof params>;

const SUFFIXES = ['.npy', '.pkl', '.pickle', '.json', '.txt', '.csv'];
const NONE = 'none';
/** bytes of a list that a check reads */
const QUICK = 64 << 20;

async function labelsOf(given: Params, list: PathList): Promise<Omit<PathList, 'paths'>> {
  const { path, labels: file, label_size } = given;
  if (file === NONE) return {};
  if (file === undefined) {
    if (label_size !== 1) throw new RangeError(`label_size is ${label_size}: name the file of labels`);
    return list;
  }
  return { labels: await readLabels(file, label_size, list.paths.length, path) };
}

async function indexOf(params: Params): Promise<DatasetIndex> {
  const list = await readPathList(params.path);
  const { labels, partial, classes } = await labelsOf(params, list);
  const root = params.root ?? dirname(params.path);
  return fileIndex({ root, paths: list.paths, labels, labelSize: params.label_size, partial }, params, classes);
}

/** Missing lists; and, of a list that is quick to read, a first image that is missing. */
async function check({ params }: { params: Params }): Promise<NodeProblem[]> {
  const problem = await checkPath('path', params.path, 'file');
  if (problem) return [problem];
  if (!SUFFIXES.includes(extname(params.path).toLowerCase())) {
    return [{ at: 'path', message: `${params.path} is not a list`, cure: `Use ${LIST_FORMATS}` }];
  }
  const problems: NodeProblem[] = [];
  if (params.labels !== undefined && params.labels !== NONE) {
    const missing = await checkPath('labels', params.labels, 'file');
    if (missing) problems.push(missing);
  }
  if ((await stat(params.path)).size > QUICK) return problems;
  try {
    const { data, length } = await indexOf(params);
    const { root, paths } = data as { root: string; paths: PathList['paths'] };
    const first = length > 0 ? stringAt(paths, 0) : '';
    const file = first.startsWith('/') ? first : join(root, first);
    await access(file).catch(() => {
      const cure = 'Set "root" to the folder that the paths start from';
      problems.push({ at: 'root', message: `the first image of the list, ${file}, does not exist`, cure });
    });
  } catch (error) {
    if (problems.length === 0) problems.push({ at: 'path', message: (error as Error).message });
  }
  return problems;
}

/** Images named by a list, as VISSL's disk_filelist; ten million of them take their bytes and eight more each. */
export default defineNode({
  type: 'dataset/disk_filelist',
  role: 'dataset',
  description: 'Images named by a list, with labels beside them or in a file of their own.',
  aliases: ['disk_filelist'],
  params,
  ...ports,
  show: ['path'],
  facts: ({ labels, label_size }) => ({
    views: [ANY_SIZE],
    dtype: 'uint8',
    labelled: labels !== NONE,
    labelSize: label_size,
  }),
  check,
  scan: async (context) => localIndex(await indexOf(context.params), context),
  open: ({ params }, index) => openFiles(params, index),
});
