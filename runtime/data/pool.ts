/** Who does the tasks: worker threads, or the rank itself. */
import type { NodeType } from '../node.ts';
import { openProgram } from './open-program.ts';
import type { Program } from './program.ts';
import { GENERATION, type Task, type TaskReport, type WorkerStart } from './tasks.ts';

export interface Pool {
  /** Tasks are begun in the order of their ids, which rise by one. Rejects with a ProgramError. */
  run(task: Task): Promise<TaskReport>;
  /** Ends the threads; tasks in work are left. Resolves when all are gone. */
  close(): Promise<void>;
}

/** Without worker threads: the same program in the rank, one task after the other. */
export function inlinePool(
  start: Pick<WorkerStart, 'spec' | 'memory' | 'region' | 'board'>,
  types: ReadonlyMap<string, NodeType>,
): Pool {
  const stop = new AbortController();
  let program: Promise<Program> | undefined;
  let last: Promise<unknown> = Promise.resolve();
  const work = async (task: Task) => {
    program ??= openProgram(start, types, stop.signal);
    const stopped = () => stop.signal.aborted || Atomics.load(start.board, GENERATION) !== task.generation;
    return (await program).run(task, stopped, () => {});
  };
  return {
    run: (task) => {
      const done = last.then(() => work(task));
      last = done.catch(() => {});
      return done;
    },
    close: async () => {
      stop.abort();
      await last;
    },
  };
}
