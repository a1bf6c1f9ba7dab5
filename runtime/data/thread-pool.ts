/**
 * Worker threads that share one memory. Every thread is told of every task, and takes those that are still free: the
 * rank, which may compute for seconds without answering, need not hand them out. A thread that dies is replaced and its
 * samples are made again.
 */
import type { Worker } from 'node:worker_threads';
import type { Pool } from './pool.ts';
import { ProgramError } from './program-error.ts';
import { type FromWorker, GENERATION, type Task, type TaskReport, type ToWorker, type WorkerStart } from './tasks.ts';
import { startThread } from './thread.ts';

/** deaths of threads in a row, without a sample to blame, after which the run ends */
const DEATHS = 3;
/** ms that a thread has to end by itself */
const PATIENCE = 10_000;

interface Thread {
  readonly worker: Worker;
  readonly gone: Promise<void>;
  ready: boolean;
  error?: Error;
}

interface Waiting {
  readonly task: Task;
  resolve(report: TaskReport): void;
  reject(error: Error): void;
}

export interface ThreadPoolOptions {
  readonly threads: number;
  readonly start: (place: number) => WorkerStart;
  /** shared with the threads; see `WorkerStart` */
  readonly board: Int32Array;
  readonly claims: Int32Array;
  /** an id for a task that is made again */
  readonly nextId: () => number;
  /** a thread has died and is replaced */
  readonly onDeath?: (message: string) => void;
}

export class ThreadPool implements Pool {
  readonly #options: ThreadPoolOptions;
  readonly #threads: Thread[] = [];
  /** by task id, in the order of ids */
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
    return new Promise((resolve, reject) => this.#offer({ task, resolve, reject }));
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

  #offer(waiting: Waiting): void {
    const { task } = waiting;
    const { claims } = this.#options;
    this.#waiting.set(task.id, waiting);
    Atomics.store(claims, task.id % claims.length, 1 + task.id);
    for (const { worker } of this.#threads) worker.postMessage({ task } satisfies ToWorker);
    this.#keepAlive();
  }

  /** Threads keep the process alive while a task waits, and not longer. */
  #keepAlive(): void {
    for (const { worker } of this.#threads) {
      if (this.#waiting.size > 0) worker.ref();
      else worker.unref();
    }
  }

  #spawn(place: number): Thread {
    const { start, board } = this.#options;
    Atomics.store(board, 1 + place, 0);
    const worker = startThread('worker', import.meta.url, { workerData: start(place), name: `data ${place}` });
    const gone = new Promise<void>((resolve) => {
      worker.once('exit', (code) => {
        resolve();
        this.#died(thread, place, code);
      });
    });
    const thread: Thread = { worker, gone, ready: false };
    worker.on('error', (error: Error) => {
      thread.error = error;
    });
    worker.on('message', (message: FromWorker) => this.#hear(thread, message));
    worker.unref();
    for (const { task } of this.#waiting.values()) worker.postMessage({ task } satisfies ToWorker);
    return thread;
  }

  #hear(thread: Thread, message: FromWorker): void {
    if (message.kind === 'failed') this.#fail(new ProgramError(message.message));
    else if (message.kind === 'ready') thread.ready = true;
    else {
      this.#deaths = 0;
      const waiting = this.#waiting.get(message.report.id);
      this.#waiting.delete(message.report.id);
      this.#keepAlive();
      waiting?.resolve(message.report);
    }
  }

  #died(thread: Thread, place: number, code: number): void {
    if (this.#closing || this.#failure) return;
    const why = thread.error?.message ?? `exit code ${code}`;
    if (!thread.ready) {
      this.#fail(new ProgramError(`a data worker could not start: ${why}`));
      return;
    }
    const { board, claims, nextId, onDeath } = this.#options;
    const held = [...this.#waiting.values()].filter(
      ({ task }) => Atomics.load(claims, task.id % claims.length) === -1 - place,
    );
    const blamed = held.some(({ task }) => this.#blame(task, Atomics.load(board, 1 + place)));
    this.#deaths = blamed ? 0 : this.#deaths + 1;
    if (this.#deaths > DEATHS) {
      this.#fail(new ProgramError(`data workers ended ${this.#deaths} times in a row (${why})`));
      return;
    }
    for (const { task } of held) this.#waiting.delete(task.id);
    this.#threads[place] = this.#spawn(place);
    for (const waiting of held) {
      this.#offer({ ...waiting, task: { ...waiting.task, id: nextId(), careful: true, lost: [...this.#lost] } });
    }
    this.#keepAlive();
    onDeath?.(`worker ${place} ended (${why}); a new one makes its samples again`);
  }

  /**
   * In a task done one image at a time, the image in work is the one to blame. Blamed twice, after the death that made
   * the task a careful one, it is given up.
   */
  #blame(task: Task, position: number): boolean {
    if (!task.careful || position === 0) return false;
    const index = task.indices[position - 1 - task.firstRow];
    const times = (this.#blamed.get(index) ?? 0) + 1;
    this.#blamed.set(index, times);
    if (times >= 2) this.#lost.push(index);
    return true;
  }

  #fail(error: Error): void {
    this.#failure ??= error;
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
