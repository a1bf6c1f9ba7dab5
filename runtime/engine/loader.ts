/** Batch sources over the loader: scan the dataset in the rank, make samples in worker threads. */
import { availableParallelism } from 'node:os';
import { datasetContext } from '../data/dataset-context.ts';
import { createLoader } from '../data/loader.ts';
import { type LocatedType, typesInUse } from '../data/node-types.ts';
import type { NodeUse, OnceValues } from '../data/tasks.ts';
import type { GraphEvent } from '../events.ts';
import type { NodeType, Ranks, Value } from '../node.ts';
import type { BatchSource, OpenSource } from './batches.ts';
import { type Graph, type GraphNode, refOf } from './edges.ts';
import type { TypeLoader } from './inline-types.ts';

export interface LocatedTypes extends TypeLoader {
  find(name: string): { readonly plugin?: string; readonly module?: string } | undefined;
}

export interface LoaderSettings {
  readonly graph: Graph;
  readonly types: LocatedTypes;
  readonly ranks: Ranks;
  /** default: what the document says */
  readonly workers?: number;
  /** values of rate once, by ref: there when the first pass begins */
  readonly once: ReadonlyMap<string, Value>;
  readonly signal: AbortSignal;
  notify(event: GraphEvent): void;
}

const use = ({ name, declaration, params }: GraphNode): NodeUse => ({ name, type: declaration.type, params });

/** What transforms read of rate once; undefined when they read nothing of it. */
function onceOf(transforms: readonly GraphNode[], values: ReadonlyMap<string, Value>): (() => OnceValues) | undefined {
  const inputs = transforms.flatMap(({ name, inputs }) =>
    inputs.flatMap(({ port, type, sources }) =>
      type.rate === 'once' ? [{ name, port, ref: refOf(Object.values(sources)[0]![0]!) }] : [],
    ),
  );
  if (inputs.length === 0) return undefined;
  return () => {
    const found: Record<string, Record<string, unknown>> = {};
    for (const { name, port, ref } of inputs) {
      if (!values.has(ref)) throw new Error(`${name} needs ${ref}, which has no value yet`);
      found[name] = { ...found[name], [port]: shared(values.get(ref)) };
    }
    return found;
  };
}

/** Numbers in memory that all threads read. */
function shared(value: Value): unknown {
  if (!(value instanceof Int32Array || value instanceof Float32Array)) return value;
  const Numbers = value.constructor as typeof Int32Array;
  const copy = new Numbers(new SharedArrayBuffer(value.byteLength));
  copy.set(value);
  return copy;
}

/** Threads for one rank: all cores but the one that trains, shared by the ranks of this machine. */
export function workersFor(wanted: number, ranksHere: number): number {
  if (wanted >= 0) return wanted;
  return Math.max(1, Math.floor(availableParallelism() / ranksHere) - 1);
}

export function loaderSources(settings: LoaderSettings): OpenSource {
  const { graph, types, ranks, notify, signal } = settings;
  const ranksHere = Math.ceil(ranks.size / (ranks.machines ?? 1));
  const workers = workersFor(settings.workers ?? graph.run.workers, ranksHere);
  return async ({ dataset, transforms, collator }, training): Promise<BatchSource> => {
    const uses = [dataset, ...transforms, collator].map(use);
    const names = [...typesInUse(uses)];
    const declarations = await types.load(names);
    const located = new Map<string, LocatedType>();
    for (const [name, declaration] of declarations) {
      located.set(name, { declaration: declaration as NodeType, module: types.find(name)?.module });
    }
    const { declaration } = dataset;
    if (declaration.role !== 'dataset') throw new TypeError(`${dataset.name} is not a dataset`);
    const index = await declaration.scan(
      datasetContext(declarations as ReadonlyMap<string, NodeType>, dataset, {
        seed: graph.run.seed,
        signal,
        notice: (level, message, cure) => notify({ type: 'notice', level, from: dataset.name, message, cure }),
      }),
    );
    const loader = createLoader({
      name: collator.name,
      dataset: use(dataset),
      index,
      transforms: transforms.map(use),
      collator: use(collator),
      types: located,
      training,
      seed: graph.run.seed,
      path: [collator.name],
      rank: ranks.rank,
      ranks: ranks.size,
      workers,
      plugins: names.some((name) => types.find(name)?.plugin !== undefined),
      once: onceOf(transforms, settings.once),
      onEvent: notify,
    });
    return {
      samples: index.length,
      batchSize: loader.batchSize,
      steps: loader.steps,
      async *open(pass) {
        for await (const { arrays, rows, release } of loader.batches(pass.epoch, pass.start, pass.signal)) {
          yield { ports: arrays, images: rows, release };
        }
      },
      close: () => loader.dispose(),
    };
  };
}
