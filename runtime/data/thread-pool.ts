/** Worker threads that share one memory. A thread that dies is replaced and its samples are made again. */
import type { Worker } from 'node:worker_threads';
import type { Pool } from './pool.ts';
import { ProgramError } from './program-error.ts';
import { type FromWorker, GENERATION, type Task, type TaskReport, type ToWorker, type WorkerStart } from './tasks.ts';
import { startThread } from './thread.ts';

/** tasks that a thread holds: the one in work and the next, so that it never waits for an answer */
const HELD = 2;
/** deaths of threads in a row, without a sample to blame, after which the run ends */
const DEATHS = 3;
/** ms that a thread has to end by itself */
const PATIENCE = 10_000;

interface Thread {
  readonly worker: Worker;
  readonly place: number;
  readonly held: Task[];
  readonly gone: Promise<void>;
  ready: boolean;
  error?: Error;
}

interface Waiting {
  resolve(report: TaskReport): void;
  reject(error: Error): void;
}

export interface ThreadPoolOptions {
  readonly threads: number;
  readonly start: (place: number) => WorkerStart;
  /** a thread has died and is replaced */
  readonly onDeath?: (message: string) => void;
}

export class ThreadPool implements Pool {
  readonly #options: ThreadPoolOptions;
  readonly #threads: Thread[] = [];
  readonly #queue: Task[] = [];
  readonly #waiting = new Map<number, Waiting>();
  /** index → threads that ended while it alone was in work */
  readonly #blamed = new Map<number, number>();
  readonly #lost: number[] = [];
  #deaths = 0;
  #failure: Error | undefined;
  #closing = false;

  constructor(options: ThreadPoolOptions) {
    this.#options = options;
    for (let place = 0; place < options.threads; place++) this.#threads.push(this.#spawn(place));
  }

  run(task: Task): Promise<TaskReport> {
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiting.set(task.id, { resolve, reject });
      this.#queue.push(task);
      this.#dispatch();
    });
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#fail(new ProgramError('the loader was closed'));
    const patience = setTimeout(() => {
      for (const { worker } of this.#threads) void worker.terminate();
    }, PATIENCE);
    await Promise.all(
      this.#threads.map(({ worker, gone }) => {
        worker.ref();
        return gone;
      }),
    );
    clearTimeout(patience);
  }

  #spawn(place: number): Thread {
    const start = this.#options.start(place);
    Atomics.store(start.board, 1 + place, 0);
    const worker = startThread('worker', import.meta.url, { workerData: start, name: `data ${place}` });
    const gone = new Promise<void>((resolve) => {
      worker.once('exit', (code) => {
        resolve();
        this.#died(thread, code, start.board);
      });
    });
    const thread: Thread = { worker, place, held: [], gone, ready: false };
    worker.on('error', (error: Error) => {
      thread.error = error;
    });
    worker.on('message', (message: FromWorker) => this.#hear(thread, message));
    worker.unref();
    return thread;
  }

  #hear(thread: Thread, message: FromWorker): void {
    if (message.kind === 'failed') this.#fail(new ProgramError(message.message));
    else if (message.kind === 'ready') thread.ready = true;
    else {
      this.#deaths = 0;
      const at = thread.held.findIndex(({ id }) => id === message.report.id);
      thread.held.splice(at, 1);
      this.#settle(message.report.id)?.resolve(message.report);
      this.#dispatch();
    }
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  /** Gives out tasks to the thread that holds least. A thread with work keeps the process alive. */
  #dispatch(): void {
    if (this.#failure) return;
    while (this.#queue.length > 0) {
      const thread = this.#threads.reduce((least, other) => (other.held.length < least.held.length ? other : least));
      if (thread.held.length >= HELD) break;
      const task = this.#queue.shift()!;
      thread.held.push(task);
      thread.worker.postMessage({ task: { ...task, lost: this.#lost } } satisfies ToWorker);
    }
    for (const { worker, held } of this.#threads) {
      if (held.length > 0) worker.ref();
      else worker.unref();
    }
  }

  #died(thread: Thread, code: number, board: Int32Array): void {
    if (this.#closing || this.#failure) return;
    const why = thread.error?.message ?? `exit code ${code}`;
    if (!thread.ready) {
      this.#fail(new ProgramError(`a data worker could not start: ${why}`));
      return;
    }
    const blamed = this.#blame(thread, Atomics.load(board, 1 + thread.place));
    this.#deaths = blamed ? 0 : this.#deaths + 1;
    if (this.#deaths > DEATHS) {
      this.#fail(new ProgramError(`data workers ended ${this.#deaths} times in a row (${why})`));
      return;
    }
    const [first, ...rest] = thread.held;
    this.#queue.unshift(...(first ? [{ ...first, careful: true }] : []), ...rest);
    this.#threads[thread.place] = this.#spawn(thread.place);
    this.#options.onDeath?.(`worker ${thread.place} ended (${why}); a new one makes its samples again`);
    this.#dispatch();
  }

  /**
   * In a task done one image at a time, the image in work is the one to blame. Blamed twice, after the death that made
   * the task a careful one, it is given up.
   */
  #blame({ held: [task] }: Thread, position: number): boolean {
    if (!task?.careful || position === 0) return false;
    const index = task.indices[position - 1 - task.firstRow];
    const times = (this.#blamed.get(index) ?? 0) + 1;
    this.#blamed.set(index, times);
    if (times >= 2) this.#lost.push(index);
    return true;
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#queue.length = 0;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    for (const { worker } of this.#threads) {
      worker.unref();
      worker.postMessage({ stop: true } satisfies ToWorker);
    }
  }
}

/** Makes threads leave the tasks they hold. */
export function nextGeneration(board: Int32Array): number {
  return Atomics.add(board, GENERATION, 1) + 1;
}
