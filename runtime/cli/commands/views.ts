/** `pipe views`: what the model will see, drawn. */
import { extname } from 'node:path';
import { datasetContext } from '../../data/dataset-context.ts';
import { type LocatedType, typesInUse } from '../../data/node-types.ts';
import type { NodeUse } from '../../data/tasks.ts';
import type { Graph, GraphNode } from '../../engine/edges.ts';
import { createPlan, type SampleProgram } from '../../engine/plan.ts';
import type { GraphEvent } from '../../events.ts';
import { writeAside } from '../../lightly/write-aside.ts';
import type { NodeType } from '../../node.ts';
import { checkPipeline, type DocumentOptions, openPipeline, type Pipeline } from '../../pipeline/open.ts';
import { viewsPage, viewsPng } from '../../views/draw-views.ts';
import { type TakenViews, takeViews } from '../../views/take-views.ts';
import { plural, printNotes } from '../output.ts';
import { interruptible, refusal } from '../request.ts';

interface ViewsOptions extends DocumentOptions {
  readonly out: string;
  readonly images: string;
  readonly epoch: string;
  readonly batch?: string;
  readonly json?: boolean;
}

export async function views(pipeline: string, overrides: readonly string[], options: ViewsOptions): Promise<void> {
  const images = wholeNumber('--images', options.images, 1);
  const epoch = wholeNumber('--epoch', options.epoch, 0);
  const form = extname(options.out).toLowerCase();
  if (form !== '.html' && form !== '.png') throw refusal('views are written as .html or .png', 'Name such a file');
  const opened = await openPipeline(pipeline, overrides, options);
  const graph = await checkPipeline(opened, { device: null });
  if (!options.json) printNotes(opened.resolved);
  const { source, training } = chooseSource(graph, options.batch);
  const taken = await interruptible((signal) => take(graph, opened, source, { images, epoch, training, signal }));
  const title = `${graph.name}: what the model sees`;
  const drawn =
    form === '.html'
      ? await viewsPage(taken, { title, notes: notes(graph, source, taken, epoch) })
      : await viewsPng(taken);
  await writeAside(options.out, [drawn]);
  if (options.json) process.stdout.write(`${JSON.stringify(report(options.out, source, taken), null, 2)}\n`);
  else
    process.stdout.write(
      `${options.out}: ${plural(taken.samples.length, 'image')}, ${plural(taken.sizes.length, 'view')} each\n`,
    );
}

function wholeNumber(option: string, text: string, least: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least) return value;
  throw refusal(`${option} is "${text}"`, `Give a whole number from ${least} on`);
}

/** The batches that training reads, unless others are asked for. */
function chooseSource(graph: Graph, name: string | undefined): { source: SampleProgram; training: boolean } {
  const { phases, sources } = createPlan(graph);
  const trained = phases.filter(({ training }) => training).map(({ source }) => source);
  const chosen = name ?? trained[0] ?? [...sources.keys()][0];
  const source = chosen === undefined ? undefined : sources.get(chosen);
  if (source) return { source, training: trained.includes(source.collator.name) };
  const there = [...sources.keys()].join(', ');
  if (name === undefined) throw refusal(`${graph.name} loads no images`);
  throw refusal(`${graph.name} has no collator "${name}"`, `There are: ${there}`);
}

const use = ({ name, declaration, params }: GraphNode): NodeUse => ({ name, type: declaration.type, params });

interface Taking {
  readonly images: number;
  readonly epoch: number;
  readonly training: boolean;
  readonly signal: AbortSignal;
}

async function take(graph: Graph, { registry }: Pipeline, source: SampleProgram, taking: Taking): Promise<TakenViews> {
  const { dataset, transforms, collator } = source;
  const say = (event: GraphEvent): void => {
    if (event.type === 'notice')
      process.stderr.write(`${event.from}: ${event.message}${event.cure ? `; ${event.cure}` : ''}\n`);
  };
  const declarations = await registry.load(typesInUse([dataset, ...transforms].map(use)));
  const types = new Map<string, LocatedType>();
  for (const [name, declaration] of declarations) types.set(name, { declaration: declaration as NodeType });
  const { declaration, name } = dataset;
  if (declaration.role !== 'dataset') throw new TypeError(`${name} is not a dataset`);
  const { seed } = graph.run;
  const index = await declaration.scan(
    datasetContext(declarations as ReadonlyMap<string, NodeType>, dataset, {
      seed,
      signal: taking.signal,
      notice: (level, message, cure) => say({ type: 'notice', level, from: name, message, cure }),
    }),
  );
  return takeViews({
    ...taking,
    dataset: use(dataset),
    index,
    transforms: transforms.map(use),
    collator: use(collator),
    types,
    seed,
    onEvent: say,
  });
}

function notes(
  graph: Graph,
  { dataset, transforms, collator }: SampleProgram,
  taken: TakenViews,
  epoch: number,
): string[] {
  const steps = transforms.map(({ declaration }) => declaration.type.replace(/^transform\//, ''));
  const lines = [
    `${dataset.name} (${dataset.declaration.type}) → ${steps.join(' → ')} → ${collator.name} (${collator.declaration.type})`,
    `The first images of epoch ${epoch + 1} with seed ${graph.run.seed}, as one process reads them, before they are normalised.`,
  ];
  if (collator.declaration.role === 'collator' && collator.declaration.create(collator.params).finish) {
    lines.push('The collator mixes images afterwards, which is not shown.');
  }
  if (taken.stretched)
    lines.push('Views are no pictures but numbers: each is drawn from its least to its greatest value.');
  return lines;
}

const report = (file: string, { dataset, collator }: SampleProgram, { samples, sizes }: TakenViews) => ({
  file,
  dataset: dataset.name,
  collator: collator.name,
  views: sizes.map(([height, width]) => ({ height, width })),
  images: samples.map(({ name, label, bad }) => ({ name, label, ...(bad === undefined ? {} : { bad }) })),
});
