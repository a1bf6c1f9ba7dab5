/** The memory of a loader, and who fills it. */
import type { GraphEvent } from '../events.ts';
import type { NodeType } from '../node.ts';
import { tasksOf } from './divide.ts';
import { createPixelMemory } from './pixels/memory.ts';
import { inlinePool, type Pool } from './pool.ts';
import type { OnceValues, ProgramSpec, WorkerStart } from './tasks.ts';
import { ThreadPool } from './thread-pool.ts';

/** first part of a thread's own memory; it grows when a picture needs more */
const ARENA = 8 << 20;

export interface MachineryOptions {
  /** for events */
  readonly name: string;
  readonly spec: ProgramSpec;
  /** every type in use, by type or alias */
  readonly types: ReadonlyMap<string, NodeType>;
  /** 0: samples are made in the rank */
  readonly threads: number;
  /** batches made ahead of the one in use */
  readonly prefetch: number;
  readonly plugins: boolean;
  readonly once?: () => OnceValues;
  readonly onEvent: (event: GraphEvent) => void;
}

export interface Machinery {
  readonly memory: WebAssembly.Memory;
  readonly pool: Pool;
  /** see `WorkerStart` */
  readonly board: Int32Array;
  /** batches that the memory holds */
  readonly slots: number;
}

/** Batches come first in the memory, then a part for each thread. Throws a RangeError when two batches do not fit. */
export function startMachinery(options: MachineryOptions, nextId: () => number): Machinery {
  const { name, spec, threads, prefetch, plugins, types, onEvent } = options;
  const { layout } = spec;
  const lanes = Math.max(1, threads);
  const slots = slotsThatFit(layout.bytes, prefetch + 1, lanes * ARENA);
  const memory = createPixelMemory({ bytes: slots * layout.bytes + lanes * ARENA });
  const board = new Int32Array(new SharedArrayBuffer(4 * (1 + lanes)));
  // all tasks under way have cells of their own, those that are made again included
  const claims = new Int32Array(new SharedArrayBuffer(4 * (slots * tasksOf(layout.batchSize) * 2 + 64)));
  const once = options.once?.();
  const start = (place: number): WorkerStart => ({
    spec: once ? { ...spec, once } : spec,
    memory,
    region: { offset: slots * layout.bytes + place * ARENA, bytes: ARENA },
    board,
    claims,
    place,
    plugins,
  });
  const onDeath = (message: string) => onEvent({ type: 'notice', level: 'warning', from: name, message });
  const pool =
    threads > 0 ? new ThreadPool({ threads, start, board, claims, nextId, onDeath }) : inlinePool(start(0), types);
  return { memory, pool, board, slots };
}

/** As many batches as fit beside the threads' own memory, at least the one in use and one that fills. */
function slotsThatFit(batchBytes: number, wanted: number, others: number): number {
  const room = Math.floor((2 ** 32 - 2 * others) / Math.max(1, batchBytes));
  if (room >= 2) return Math.min(wanted, room);
  const gib = (batchBytes / 2 ** 30).toFixed(2);
  throw new RangeError(`a batch takes ${gib} GiB, and two of them do not fit into 4 GiB: make batch_size smaller`);
}
