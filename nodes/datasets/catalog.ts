import { access } from 'node:fs/promises';
import type { Static } from '#typebox';
import type { NodeProblem } from '../../graph/node-type.ts';
import { withDefaults } from '../../graph/params/defaults.ts';
import { Catalog, catalogFile, splitOf } from '../../runtime/data/catalog/catalog.ts';
import { type ResolvedDataset, resolveDataset } from '../../runtime/data/catalog/resolve.ts';
import { type DatasetContext, defineNode, type NodeType, T } from '../../runtime/node.ts';
import coco from './coco.ts';
import diskFilelist from './disk_filelist.ts';
import diskFolder from './disk_folder.ts';
import { fileParams } from './files.ts';
import { ANY_SIZE, ports } from './parts.ts';
import pascalVoc from './pascal_voc.ts';

const params = T.Object({
  name: T.String({ minLength: 1, description: 'name in the catalog, such as imagenet1k_folder' }),
  split: T.Union([T.Literal('train'), T.Literal('val'), T.Literal('test')], {
    default: 'train',
    description: 'which part; test is val where the catalog has no test',
  }),
  catalog: T.Optional(
    T.String({
      minLength: 1,
      description: 'the catalog; default $PIPE_CATALOG, else datasets.json in the working folder',
    }),
  ),
  label_size: T.Integer({ default: 1, minimum: 1, description: 'numbers per label: 20 for Pascal VOC, 80 for COCO' }),
  ...fileParams,
});

type Params = Static<typeof params>;
type DatasetType = Extract<NodeType, { role: 'dataset' }>;

const types: Readonly<Record<ResolvedDataset['dataset'], DatasetType>> = {
  disk_folder: diskFolder as DatasetType,
  disk_filelist: diskFilelist as DatasetType,
  pascal_voc: pascalVoc as DatasetType,
  coco: coco as DatasetType,
};

interface Chosen {
  readonly dataset: ResolvedDataset['dataset'];
  readonly params: Record<string, unknown>;
}

async function choose({ name, split, catalog: given, label_size, ...rest }: Params): Promise<Chosen> {
  const file = catalogFile(given);
  await access(file).catch((cause) => {
    throw new Error(`there is no catalog ${file}: make one with \`pipe dataset add\``, { cause });
  });
  const catalog = new Catalog();
  await catalog.registerJson(file);
  const { dataset, ...own } = await resolveDataset(splitOf(name, catalog.get(name), split), split);
  return { dataset, params: withDefaults(types[dataset].params, { ...rest, label_size, ...own }) as Chosen['params'] };
}

async function check(context: { params: Params; name: string }): Promise<readonly NodeProblem[]> {
  try {
    const { dataset, params } = await choose(context.params);
    return (await types[dataset].check?.({ ...context, params })) ?? [];
  } catch (error) {
    return [{ at: 'name', message: (error as Error).message }];
  }
}

/** A dataset by its name in a catalog, a JSON file: { "name": { "train": [images, labels], "val": [images, labels] } }. */
export default defineNode({
  type: 'dataset/catalog',
  role: 'dataset',
  description: 'A dataset by its name in a catalog: a folder, a list with labels, Pascal VOC or COCO.',
  params,
  ...ports,
  show: ['name', 'split'],
  facts: ({ label_size }) => ({
    views: [ANY_SIZE],
    dtype: 'uint8',
    labelled: true,
    ...(label_size === 1 ? {} : { labelSize: label_size }),
  }),
  check,
  scan: async (context: DatasetContext<Params>) => {
    const chosen = await choose(context.params);
    const index = await types[chosen.dataset].scan({ ...context, params: chosen.params });
    return { ...index, data: { chosen, data: index.data } };
  },
  open: (context, index) => {
    const { chosen, data } = index.data as { chosen: Chosen; data: unknown };
    return types[chosen.dataset].open({ ...context, params: chosen.params }, { ...index, data });
  },
});
