/** The ring of batches: which part of the memory is being filled, is ready, or is in use. */

import type { Batch, LoaderStats } from './batch.ts';
import type { FullBatch } from './collation.ts';
import { divide } from './divide.ts';
import { type Machinery, type MachineryOptions, startMachinery } from './machinery.ts';
import { ProgramError } from './program-error.ts';
import { batchTensors, slabArray } from './slabs.ts';
import type { Task, TaskReport } from './tasks.ts';
import { nextGeneration } from './thread-pool.ts';
import { untilAborted } from './until-aborted.ts';

export interface BatchSourceOptions extends MachineryOptions {
  /** ports that carry lists */
  readonly lists: ReadonlySet<string>;
  readonly steps: number;
  readonly finish?: (batch: Omit<FullBatch, 'random'>, epoch: number, step: number) => void;
  readonly onTask: (task: { start: number; end: number; images: number }) => void;
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
  const nextId = () => ids++;

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
    machinery ??= startMachinery(options, nextId);
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
          id: nextId(),
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
