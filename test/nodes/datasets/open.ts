/** Scans and opens a dataset as a rank and its workers do. */
import { Value } from '@sinclair/typebox/value';
import { innerDatasetFacts } from '../../../graph/inner-facts.ts';
import type { NestedNode, NodeProblem } from '../../../graph/node-type.ts';
import { datasetContext } from '../../../runtime/data/dataset-context.ts';
import type { Dataset, PackedPixels } from '../../../runtime/data/sample.ts';
import type { DatasetIndex, NodeType } from '../../../runtime/node.ts';
import { createRandom } from '../../../runtime/random.ts';

type DatasetType = Extract<NodeType, { role: 'dataset' }>;

export interface Opened {
  readonly index: DatasetIndex;
  readonly dataset: Dataset;
  readonly notices: readonly string[];
}

const paramsOf = (type: NodeType, given: Record<string, unknown>) =>
  Value.Default(type.params, structuredClone(given)) as any;

export async function open(
  type: unknown,
  given: Record<string, unknown>,
  types: Readonly<Record<string, unknown>> = {},
): Promise<Opened> {
  const { scan, open: openIndex, params: schema } = type as DatasetType;
  const params = paramsOf({ params: schema } as NodeType, given);
  const notices: string[] = [];
  const notice = (_level: string, message: string) => notices.push(message);
  const run = { seed: 0, signal: new AbortController().signal, notice };
  const declared = new Map(Object.entries(types).map(([name, one]) => [`dataset/${name}`, one as NodeType]));
  const context = datasetContext(declared, { name: 'images', params }, run);
  const index = await scan(context);
  // what a worker gets is a clone; shared memory stays shared
  return { index, dataset: await openIndex(context, structuredClone(index)), notices };
}

export async function check(
  type: unknown,
  given: Record<string, unknown>,
  types: Readonly<Record<string, unknown>> = {},
): Promise<readonly NodeProblem[]> {
  const declared = type as DatasetType;
  const nested = async ({ dataset, ...own }: NestedNode) => check(types[dataset as string], own, types);
  return (await declared.check?.({ params: paramsOf(declared, given), name: 'images', nested })) ?? [];
}

export const facts = (type: unknown, given: Record<string, unknown>) =>
  (type as DatasetType).facts(paramsOf(type as NodeType, given), innerDatasetFacts(new Map()));

export const read = async ({ dataset }: Opened, i: number) => dataset.read(i, createRandom(0));

/** Decoded pixels of a sample that holds them. */
export async function pixelsOf(opened: Opened, i: number): Promise<PackedPixels> {
  const { source } = await read(opened, i);
  if (!('pixels' in source)) throw new Error('the sample is a file');
  return source;
}

export async function labelsOf(opened: Opened): Promise<unknown[]> {
  const labels = [];
  for (let i = 0; i < opened.dataset.length; i++) labels.push((await read(opened, i)).label);
  return labels;
}

export async function namesOf(opened: Opened): Promise<unknown[]> {
  const names = [];
  for (let i = 0; i < opened.dataset.length; i++) names.push((await read(opened, i)).name);
  return names;
}
