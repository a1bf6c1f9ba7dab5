/** Batches of a dataset: sampled, loaded ahead in worker threads, handed on in order. */
import type { GraphEvent } from '../events.ts';
import type { DatasetIndex, NodeType } from '../node.ts';
import { createRandom } from '../random.ts';
import type { Batch, LoaderStats } from './batch.ts';
import { batchSource } from './batch-source.ts';
import type { Collator } from './collation.ts';
import type { LocatedType } from './node-types.ts';
import { typeOfRole, typesInUse } from './node-types.ts';
import { createPixelCache } from './pixel-cache.ts';
import { ProgramError } from './program-error.ts';
import { sampleFacts, throwProblem } from './sample-facts.ts';
import { createSampler, stepsPerEpoch } from './samplers.ts';
import { layoutBatch } from './slabs.ts';
import type { NodeUse, OnceValues, ProgramSpec } from './tasks.ts';

export interface LoaderOptions {
  /** the collator's node name, for events */
  readonly name: string;
  readonly dataset: NodeUse;
  /** what the dataset's `scan` found */
  readonly index: DatasetIndex;
  readonly transforms: readonly NodeUse[];
  readonly collator: NodeUse;
  /** every type in use (see `typesInUse`), by type or alias */
  readonly types: ReadonlyMap<string, LocatedType>;
  /** shuffles unless the collator's params say otherwise */
  readonly training: boolean;
  readonly seed: number;
  /** names this loader's random streams; default the dataset's name */
  readonly path?: readonly (string | number)[];
  readonly rank?: number;
  readonly ranks?: number;
  /** worker threads; 0: samples are made in the rank */
  readonly workers: number;
  /** batches made ahead of the one in use; default 2 */
  readonly prefetch?: number;
  /** types of plugins are in use */
  readonly plugins?: boolean;
  /** values of rate once that transforms read; asked for when the first pass begins */
  readonly once?: () => OnceValues;
  /** bytes for decoded pixels of small pictures; default 256 MiB, touched as they fill */
  readonly cacheBytes?: number;
  readonly onEvent?: (event: GraphEvent) => void;
  /** one task is done: for traces. Times in ms since 1970. */
  readonly onTask?: (task: { readonly start: number; readonly end: number; readonly images: number }) => void;
}

export interface Loader {
  /** batches of one epoch on this rank */
  readonly steps: number;
  /** images of one epoch on this rank */
  readonly images: number;
  readonly batchSize: number;
  /**
   * Batches of an epoch, in order, from step `startStep`: the same bytes whatever the number of workers, prefetch, or
   * where the run was resumed. One pass at a time. An abort, or leaving the loop, stops the loading.
   * Throws a ProgramError, or the signal's reason.
   */
  batches(epoch: number, startStep?: number, signal?: AbortSignal): AsyncGenerator<Batch, void>;
  stats(): LoaderStats;
  /** Ends the threads and frees the memory until the next pass. */
  park(): Promise<void>;
  /** Ends the threads for good. */
  dispose(): Promise<void>;
}

/** Throws a ProgramError when the nodes do not fit together, a RangeError when the batches do not fit into 4 GiB. */
export function createLoader(options: LoaderOptions): Loader {
  const { name, dataset, collator: use, transforms, index, rank = 0, ranks = 1 } = options;
  const types = declarations(options);
  const facts = sampleFacts(types, dataset, transforms);
  const type = typeOfRole(types, use.type, 'collator');
  const collator: Collator = type.create(use.params);
  const { batchSize, multiple = 1, fill = 1, finish } = collator;
  const layout = layoutBatch(type.slabs(facts, use.params, throwProblem(use)), batchSize, fill);
  const sampler = createSampler({ kind: collator.sampler, length: index.length, rank, ranks });
  const images = sampler.length - (collator.dropLast ? sampler.length % batchSize : sampler.length % multiple);
  const steps = stepsPerEpoch(images, batchSize, collator.dropLast);
  const path = options.path ?? [dataset.name];

  const threads = options.workers > 0 && canImport(options) ? options.workers : 0;
  const spec: ProgramSpec = {
    seed: options.seed,
    path,
    dataset,
    index,
    transforms,
    collator: use,
    facts,
    layout,
    modules: Object.fromEntries([...options.types].flatMap(([key, { module }]) => (module ? [[key, module]] : []))),
    cache: createPixelCache(index.length, options.cacheBytes ?? 256 << 20),
  };
  const outputs = typeof type.outputs === 'function' ? type.outputs(use.params) : (type.outputs ?? {});
  const lists = new Set(Object.keys(outputs).filter((port) => outputs[port].list));
  const source = batchSource({
    name,
    spec,
    types,
    threads,
    prefetch: Math.max(1, options.prefetch ?? 2),
    plugins: options.plugins === true,
    once: options.once,
    lists,
    steps,
    finish:
      finish &&
      ((batch, epoch, step) =>
        finish.call(collator, { ...batch, random: createRandom(options.seed, ...path, epoch, 'batch', step, rank) })),
    onEvent: options.onEvent ?? (() => {}),
    onTask: options.onTask ?? (() => {}),
  });

  const shuffle = collator.shuffle ?? options.training;
  const orderOf = (epoch: number) =>
    shuffle ? createRandom(options.seed, ...path, 'order', epoch).permutation(sampler.permuted) : undefined;
  return {
    steps,
    images,
    batchSize,
    batches: (epoch, startStep = 0, signal) => {
      const permutation = orderOf(epoch);
      const indicesOf = (step: number) => {
        const first = step * batchSize;
        const rows = Math.min(batchSize, images - first);
        return Array.from({ length: rows }, (_, row) => sampler.at(first + row, permutation));
      };
      return source.pass(epoch, startStep, indicesOf, signal);
    },
    stats: source.stats,
    park: source.park,
    dispose: source.dispose,
  };
}

function declarations({ dataset, transforms, collator, types }: LoaderOptions): Map<string, NodeType> {
  const missing = [...typesInUse([dataset, ...transforms, collator])].filter((type) => !types.has(type));
  if (missing.length > 0) throw new ProgramError(`unknown node types: ${missing.join(', ')}`);
  return new Map([...types].map(([key, { declaration }]) => [key, declaration]));
}

/** Types declared in memory exist in this thread only. */
function canImport({ name, types, onEvent }: LoaderOptions): boolean {
  const local = [...types].filter(([, { module }]) => module === undefined).map(([type]) => type);
  if (local.length === 0) return true;
  const message = `${local.join(', ')} is declared by the program itself, so samples are made without worker threads`;
  onEvent?.({
    type: 'notice',
    level: 'warning',
    from: name,
    message,
    cure: 'Put it in a file and load it as a plugin',
  });
  return false;
}
