import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Static } from '#typebox';
import type { NodeProblem } from '../../graph/node-type.ts';
import { withDefaults } from '../../graph/params/defaults.ts';
import { type DatasetContext, defineNode, type NodeType, T } from '../../runtime/node.ts';
import { isVideo } from '../../runtime/video/input.ts';
import folder from './disk_folder.ts';
import idx from './idx.ts';
import { ANY_SIZE, limit, limited, ports } from './parts.ts';
import { checkPath } from './paths.ts';
import shapes from './shapes.ts';
import videos from './video_folder.ts';

const SHAPES = 'shapes';

const params = T.Object({
  path: T.String({
    minLength: 1,
    description: `"${SHAPES}" for generated pictures, or a folder of images, of videos or of IDX files`,
  }),
  split: T.Union([T.Literal('train'), T.Literal('test')], {
    default: 'train',
    description: 'which part: of a folder the sub-folder train, or test or val, where there is one',
  }),
  size: T.Integer({ default: 32, minimum: 4, description: 'side of generated pictures in pixels' }),
  length: T.Integer({ default: 10000, minimum: 1, description: 'number of generated pictures' }),
  texture: shapes.params.properties.texture,
  turn: shapes.params.properties.turn,
  ...limit,
});

type Params = Static<typeof params>;
type DatasetType = Extract<NodeType, { role: 'dataset' }>;

/** The dataset that stands behind the path. */
interface Chosen {
  readonly type: 'shapes' | 'idx' | 'videos' | 'folder';
  readonly params: Record<string, unknown>;
}

const types: Readonly<Record<Chosen['type'], DatasetType>> = {
  shapes: shapes as DatasetType,
  idx: idx as DatasetType,
  videos: videos as DatasetType,
  folder: folder as DatasetType,
};

async function choose({ path, split, size, length, limit, texture, turn }: Params): Promise<Chosen> {
  const common = limit === undefined ? {} : { limit };
  const complete = (type: Chosen['type'], given: Record<string, unknown>): Chosen => ({
    type,
    params: withDefaults(types[type].params, { ...common, ...given }) as Chosen['params'],
  });
  if (path === SHAPES) return complete('shapes', { size, split, length: limited(length, limit), texture, turn });
  const names = await readdir(path);
  if (names.some((name) => /idx3-ubyte(\.gz)?$/.test(name))) return complete('idx', { path, split });
  const part = (split === 'train' ? ['train'] : ['test', 'val']).find((name) => names.includes(name));
  const root = part === undefined ? path : join(path, part);
  const inside = part === undefined ? names : await readdir(root);
  return complete(inside.some(isVideo) ? 'videos' : 'folder', { path: root });
}

async function check(context: { params: Params; name: string }): Promise<readonly NodeProblem[]> {
  const { path } = context.params;
  if (path === SHAPES) return [];
  const problem = await checkPath('path', path, 'folder');
  if (problem) {
    return [{ ...problem, cure: problem.cure ?? `Name a folder, or "${SHAPES}" for generated pictures` }];
  }
  const { type, params } = await choose(context.params);
  return (await types[type].check?.({ ...context, params })) ?? [];
}

/** For pipelines that run on what there is: generated pictures, IDX files, videos, or a folder of images. */
export default defineNode({
  type: 'dataset/auto',
  role: 'dataset',
  description: 'Generated pictures, IDX files, videos or a folder of images, as the path says.',
  params,
  ...ports,
  show: ['path', 'split'],
  facts: ({ path, size, length, limit }) => ({
    views: [path === SHAPES ? [[size], [size], [3]] : ANY_SIZE],
    dtype: 'uint8',
    labelled: true,
    ...(path === SHAPES ? { length: limited(length, limit), classes: shapes.params.properties.classes.default } : {}),
  }),
  check,
  scan: async (context: DatasetContext<Params>) => {
    const chosen = await choose(context.params);
    const index = await types[chosen.type].scan({ ...context, params: chosen.params });
    return { ...index, data: { chosen, data: index.data } };
  },
  open: (context, index) => {
    const { chosen, data } = index.data as { chosen: Chosen; data: unknown };
    return types[chosen.type].open({ ...context, params: chosen.params }, { ...index, data });
  },
});
