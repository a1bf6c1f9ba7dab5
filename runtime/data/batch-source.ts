/** The ring of batches: which part of the memory is being filled, is ready, or is in use. */
import type { GraphEvent } from '../events.ts';
import type { NodeType } from '../node.ts';
import type { FullBatch } from './collation.ts';
import type { Batch, LoaderStats } from './loader.ts';
import { createPixelMemory } from './pixels/memory.ts';
import { inlinePool, type Pool } from './pool.ts';
import { ProgramError } from './program-error.ts';
import { batchTensors, slabArray } from './slabs.ts';
import type { OnceValues, ProgramSpec, Task, TaskReport } from './tasks.ts';
import { nextGeneration, ThreadPool } from './thread-pool.ts';

/** first part of a thread's own memory; it grows when a picture needs more */
const ARENA = 8 << 20;
/** images in a task: enough to make a message cheap, few enough to share a batch evenly */
const SMALLEST_TASK = 8;
const LARGEST_TASK = 32;

export interface BatchSourceOptions {
  readonly name: string;
  readonly spec: ProgramSpec;
  readonly types: ReadonlyMap<string, NodeType>;
  readonly threads: number;
  readonly prefetch: number;
  readonly plugins: boolean;
  readonly once?: () => OnceValues;
  readonly lists: ReadonlySet<string>;
  readonly steps: number;
  readonly finish?: (batch: Omit<FullBatch, 'random'>, epoch: number, step: number) => void;
  readonly onEvent: (event: GraphEvent) => void;
  readonly onTask: (task: { start: number; end: number; images: number }) => void;
}

/** Memory and threads; made when the first pass begins. */
interface Machinery {
  readonly memory: WebAssembly.Memory;
  readonly pool: Pool;
  readonly board: Int32Array;
  readonly slots: number;
}

interface Filling {
  readonly step: number;
  readonly slot: number;
  readonly indices: readonly number[];
  readonly reports: Promise<TaskReport[]>;
  finished: number;
}

export function batchSource(options: BatchSourceOptions) {
  const { name, spec, threads, steps, onEvent } = options;
  const { layout } = spec;
  const totals = { images: 0, bad: 0, batches: 0, waited: 0, ahead: 0, read: 0, transform: 0 };
  let machinery: Machinery | undefined;
  let passing = false;
  let disposed = false;
  let ids = 0;

  const start = (): Machinery => {
    const slots = slotsThatFit(layout.bytes, options.prefetch + 1, Math.max(1, threads) * ARENA);
    const lanes = Math.max(1, threads);
    const memory = createPixelMemory({ bytes: slots * layout.bytes + lanes * ARENA });
    const board = new Int32Array(new SharedArrayBuffer(4 * (1 + lanes)));
    // all tasks under way have cells of their own, those that are made again included
    const claims = new Int32Array(new SharedArrayBuffer(4 * (slots * tasksOf(layout.batchSize) * 2 + 64)));
    const once = options.once?.();
    const at = (place: number) => ({
      spec: once ? { ...spec, once } : spec,
      memory,
      region: { offset: slots * layout.bytes + place * ARENA, bytes: ARENA },
      board,
      claims,
      place,
      plugins: options.plugins,
    });
    const onDeath = (message: string) => onEvent({ type: 'notice', level: 'warning', from: name, message });
    const pool =
      threads > 0
        ? new ThreadPool({ threads, start: at, board, claims, nextId: () => ids++, onDeath })
        : inlinePool(at(0), options.types);
    return { memory, pool, board, slots };
  };

  async function* pass(
    epoch: number,
    startStep: number,
    indicesOf: (step: number) => number[],
    signal?: AbortSignal,
  ): AsyncGenerator<Batch, void> {
    if (disposed) throw new ProgramError(`${name}: the loader was disposed`);
    if (passing) throw new ProgramError(`${name}: a pass is under way; end it before the next`);
    signal?.throwIfAborted();
    passing = true;
    machinery ??= start();
    const { memory, pool, board } = machinery;
    const generation = nextGeneration(board);
    const free = Array.from({ length: machinery.slots }, (_, slot) => slot);
    const filling: Filling[] = [];
    let next = startStep;
    let over = false;

    const load = (step: number, slot: number): Filling => {
      const indices = indicesOf(step);
      const tasks = divide(indices, threads).map(
        (part): Task => ({
          id: ids++,
          epoch,
          base: slot * layout.bytes,
          firstRow: part.firstRow,
          rows: indices.length,
          indices: part.indices,
          careful: false,
          lost: [],
          generation,
        }),
      );
      const reports = Promise.all(
        tasks.map(async (task) => {
          const report = await pool.run(task);
          options.onTask({ start: report.start, end: report.end, images: task.indices.length });
          return report;
        }),
      );
      const batch: Filling = { step, slot, indices, reports, finished: Number.NaN };
      reports.then(
        () => {
          batch.finished = performance.now();
        },
        () => {}, // heard when the batch is asked for
      );
      return batch;
    };
    const refill = () => {
      while (!over && next < steps && free.length > 0) filling.push(load(next++, free.shift()!));
    };
    const give = (batch: Filling, reports: readonly TaskReport[]): Batch => {
      const bad = reports.flatMap((report) => report.bad);
      for (const { index, name: path, reason } of bad) {
        onEvent({ type: 'bad_sample', dataset: spec.dataset.name, index, path, reason });
      }
      totals.images += batch.indices.length;
      totals.bad += bad.length;
      totals.batches++;
      for (const report of reports) {
        totals.read += report.read;
        totals.transform += report.transform;
      }
      const rows = batch.indices.length;
      const base = batch.slot * layout.bytes;
      finishBatch(options, memory, base, batch, epoch);
      let held = true;
      return {
        step: batch.step,
        rows,
        arrays: batchTensors(memory, layout, base, rows, options.lists),
        bad: bad.length,
        release: () => {
          if (held) free.push(batch.slot);
          held = false;
          refill();
        },
      };
    };

    try {
      refill();
      while (filling.length > 0 || next < steps) {
        const batch = filling[0];
        if (!batch) throw new ProgramError(`${name}: all ${machinery.slots} batches are held; release them first`);
        const asked = performance.now();
        const reports = await untilAborted(batch.reports, signal);
        filling.shift();
        const got = performance.now();
        totals.waited += got - asked;
        totals.ahead += Math.max(0, asked - batch.finished);
        onEvent({ type: 'wait', on: name, start: asked, end: got });
        yield give(batch, reports);
        signal?.throwIfAborted();
      }
    } finally {
      over = true;
      nextGeneration(board);
      await Promise.allSettled(filling.map(({ reports }) => reports));
      passing = false;
    }
  }

  const park = async () => {
    const { pool, board } = machinery ?? {};
    machinery = undefined;
    if (board) nextGeneration(board);
    await pool?.close();
  };
  return {
    pass,
    stats: (): LoaderStats => ({ ...totals }),
    park,
    dispose: async () => {
      disposed = true;
      await park();
    },
  };
}

function finishBatch(
  { finish, spec: { layout, facts } }: BatchSourceOptions,
  memory: WebAssembly.Memory,
  base: number,
  { indices, step }: Pick<Filling, 'indices' | 'step'>,
  epoch: number,
): void {
  if (!finish) return;
  const rows = indices.length;
  const arrays = layout.slabs.map((slab) =>
    slabArray(memory, slab, base, (slab.rows / layout.batchSize) * rows * layout.fill),
  );
  finish({ arrays, facts, rows }, epoch, step);
}

/** As many batches as fit beside the threads' own memory, at least the one in use and one that fills. */
function slotsThatFit(batchBytes: number, wanted: number, others: number): number {
  const room = Math.floor((2 ** 32 - 2 * others) / Math.max(1, batchBytes));
  if (room >= 2) return Math.min(wanted, room);
  const gib = (batchBytes / 2 ** 30).toFixed(2);
  throw new RangeError(`a batch takes ${gib} GiB, and two of them do not fit into 4 GiB: make batch_size smaller`);
}

/** At most this many tasks to a batch. */
const tasksOf = (images: number) => Math.ceil(images / SMALLEST_TASK);

function divide(indices: readonly number[], threads: number): { firstRow: number; indices: readonly number[] }[] {
  const share = Math.ceil(indices.length / Math.max(1, 4 * threads));
  const size = threads === 0 ? LARGEST_TASK : Math.min(LARGEST_TASK, Math.max(SMALLEST_TASK, share));
  const parts = [];
  for (let firstRow = 0; firstRow < indices.length; firstRow += size) {
    parts.push({ firstRow, indices: indices.slice(firstRow, firstRow + size) });
  }
  return parts;
}

async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  signal.throwIfAborted();
  let abort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
