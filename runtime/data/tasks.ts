/** What the rank and its worker threads say to each other. All of it can be cloned. */
import type { SampleFacts } from '../../graph/port.ts';
import type { DatasetIndex } from '../node.ts';
import type { PixelCacheStorage } from './pixel-cache.ts';
import type { BatchLayout } from './slabs.ts';

/** A node as it is used: what a thread needs to make it again. */
export interface NodeUse {
  readonly name: string;
  readonly type: string;
  /** validated, defaults put in */
  readonly params: Readonly<Record<string, unknown>>;
}

/** Everything that makes samples, the same in every thread. */
export interface ProgramSpec {
  readonly seed: number;
  /** names the random streams of this loader, before epoch, index, node and view */
  readonly path: readonly (string | number)[];
  readonly dataset: NodeUse;
  readonly index: DatasetIndex;
  readonly transforms: readonly NodeUse[];
  readonly collator: NodeUse;
  /** after the transforms */
  readonly facts: SampleFacts;
  readonly layout: BatchLayout;
  /** URL of the module of every type in use, by type or alias */
  readonly modules: Readonly<Record<string, string>>;
  readonly cache?: PixelCacheStorage;
  /** values of rate once that transforms read, by node and port; numbers in shared memory */
  readonly once?: OnceValues;
}

export type OnceValues = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Consecutive rows of one batch. */
export interface Task {
  readonly id: number;
  readonly epoch: number;
  /** first byte of the batch */
  readonly base: number;
  /** row of the first image */
  readonly firstRow: number;
  /** images in the batch */
  readonly rows: number;
  /** dataset indices, one per row */
  readonly indices: readonly number[];
  /** one image at a time, so that the one that ends a thread is known */
  readonly careful: boolean;
  /** indices given up: they ended thread after thread */
  readonly lost: readonly number[];
  /** tasks of an older generation are not worth doing */
  readonly generation: number;
}

export interface BadSample {
  readonly index: number;
  readonly name: string;
  readonly reason: string;
}

export interface TaskReport {
  readonly id: number;
  readonly bad: readonly BadSample[];
  /** ms since 1970, as `performance.timeOrigin + performance.now()` */
  readonly start: number;
  readonly end: number;
  /** ms spent in reading and decoding, and in transforms and writing */
  readonly read: number;
  readonly transform: number;
}

export type ToWorker = { readonly task: Task } | { readonly stop: true };

export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly report: TaskReport }
  /** a mistake that no other sample would escape */
  | { readonly kind: 'failed'; readonly message: string };

/** What a thread is started with. */
export interface WorkerStart {
  readonly spec: ProgramSpec;
  readonly memory: WebAssembly.Memory;
  /** first byte and size of the thread's own part of the memory */
  readonly region: { readonly offset: number; readonly bytes: number };
  /** shared with the rank: [generation, then per thread: row in work + 1, or 0] */
  readonly board: Int32Array;
  /** shared with the rank: a task may be taken while its cell, id mod length, holds 1 + id; then it holds -1 - thread */
  readonly claims: Int32Array;
  readonly place: number;
  /** node types of plugins are in use */
  readonly plugins: boolean;
}

export const GENERATION = 0;

/** Takes a task for a thread; false when another has it. */
export function claim(claims: Int32Array, id: number, place: number): boolean {
  return Atomics.compareExchange(claims, id % claims.length, 1 + id, -1 - place) === 1 + id;
}
