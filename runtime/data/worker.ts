/** A worker thread: makes samples into the shared memory, task after task, until told to stop. */
import { parentPort, workerData } from 'node:worker_threads';
import { importTypes } from './node-types.ts';
import { openProgram } from './open-program.ts';
import type { Program } from './program.ts';
import { claim, type FromWorker, GENERATION, type Task, type ToWorker, type WorkerStart } from './tasks.ts';

const start = workerData as WorkerStart;
const port = parentPort!;
const { board, place } = start;
const own = 1 + place;
const stop = new AbortController();
const say = (message: FromWorker) => port.postMessage(message);

async function open(): Promise<Program> {
  if (start.plugins) await (await import('../plugins.ts')).enablePlugins();
  const program = await openProgram(start, await importTypes(start.spec.modules), stop.signal);
  say({ kind: 'ready' });
  return program;
}

async function work(program: Program, task: Task): Promise<void> {
  if (!claim(start.claims, task.id, place)) return;
  const stopped = () => Atomics.load(board, GENERATION) !== task.generation;
  const report = await program.run(task, stopped, (row) => Atomics.store(board, own, row + 1));
  Atomics.store(board, own, 0);
  say({ kind: 'done', report });
}

const program = open();
let last: Promise<void> = program.then(() => {}, fail);

function fail(error: unknown): void {
  say({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
}

port.on('message', (message: ToWorker) => {
  if ('stop' in message) {
    stop.abort();
    void last.then(() => port.close());
  } else last = last.then(async () => work(await program, message.task)).catch(fail);
});
