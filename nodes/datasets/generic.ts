import type { Static } from '#typebox';
import type { NodeProblem } from '../../graph/node-type.ts';
import type { Label } from '../../runtime/data/sample.ts';
import { type DatasetContext, type DatasetIndex, defineNode, type NestedNode, nested, T } from '../../runtime/node.ts';
import { ports } from './parts.ts';

const params = T.Object({
  sources: T.Array(
    nested('dataset', { description: 'a dataset, such as {"dataset": "disk_folder", "path": "./rgb"}' }),
    {
      minItems: 1,
      description: 'datasets of one order: sample i takes entry i of each',
    },
  ),
  labels: T.Union([T.Literal('first'), T.Literal('all')], {
    default: 'first',
    description: 'the label of the first source, or those of all sources side by side',
  }),
});

type Params = Static<typeof params>;

const sourcesOf = ({ sources }: Params): readonly NestedNode[] => sources.map((source) => source as NestedNode);

async function scan({ params, nested }: DatasetContext<Params>): Promise<DatasetIndex> {
  const indices: DatasetIndex[] = [];
  for (const source of sourcesOf(params)) indices.push(await nested(source).scan());
  const [{ length, classes }] = indices;
  const short = indices.findIndex((index) => index.length < length);
  if (short >= 0) {
    throw new RangeError(`source ${short} has ${indices[short].length} samples, and source 0 has ${length}`);
  }
  return { length, classes, data: indices };
}

async function open({ params, nested }: DatasetContext<Params>, { length, data }: DatasetIndex) {
  const sources = sourcesOf(params);
  const datasets = await Promise.all(sources.map((source, i) => nested(source).open((data as DatasetIndex[])[i])));
  const [first] = datasets;
  return {
    length,
    replacement: first.replacement,
    pixelLimit: first.pixelLimit,
    read: async (...asked: Parameters<typeof first.read>) => {
      const samples = await Promise.all(datasets.map((dataset) => dataset.read(...asked)));
      const [{ source, label, name }, ...others] = samples;
      const all: Label = params.labels === 'all' ? samples.map((sample) => single(sample.label)) : label;
      return { source, label: all, name, others: others.map((other) => other.source) };
    },
  };
}

function single(label: Label): number {
  if (typeof label === 'number') return label;
  throw new TypeError('"labels": "all" takes sources with one class per image; set "labels": "first"');
}

async function check(context: { params: Params; nested?(node: NestedNode): Promise<readonly NodeProblem[]> }) {
  const found = await Promise.all(
    sourcesOf(context.params).map(async (source) => (await context.nested?.(source)) ?? []),
  );
  return found.flatMap((problems, i) =>
    problems.map((problem): NodeProblem => ({ ...problem, at: `sources.${i}${problem.at ? `.${problem.at}` : ''}` })),
  );
}

/**
 * Several datasets side by side: each sample has a view from every source. As long as the first; a sample is bad when
 * one of its pictures is, where VISSL marks each picture on its own.
 */
export default defineNode({
  type: 'dataset/generic',
  role: 'dataset',
  description: 'Several datasets side by side, one view of a sample from each.',
  aliases: ['GenericSSLDataset'],
  params,
  ...ports,
  show: ['sources'],
  facts: (given, inner) => {
    const all = sourcesOf(given).map(inner);
    const [first] = all;
    const views = all.flatMap((facts) => facts.views);
    if (given.labels === 'first') return { ...first, views };
    return {
      ...first,
      views,
      labelSize: all.length,
      labelled: all.every(({ labelled }) => labelled),
      classes: undefined,
    };
  },
  check,
  scan,
  open,
});
