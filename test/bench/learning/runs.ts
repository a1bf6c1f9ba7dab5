/** One run of an approach with a seed in a process of its own, and what is kept of it. */
import { spawn } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { canonical } from '../../../graph/document/canonical.ts';
import { checkPipeline, openPipeline } from '../../../runtime/pipeline/open.ts';
import type { Approach } from './approaches.ts';
import { type Figures, readFigures } from './figures.ts';

export interface Run {
  readonly approach: Approach;
  readonly seed: number;
  readonly folder: string;
}

/** Lies beside the run's own files once it has ended well. */
export interface Result extends Figures {
  readonly device: string;
  readonly began: number;
  readonly ended: number;
  /** wall-clock time of the process */
  readonly seconds: number;
  /** processor time of all its threads */
  readonly cpuSeconds: number;
  /** load average of the last minute when it ended */
  readonly load: number;
}

const RESULT = 'learning.json';
const command = fileURLToPath(new URL('../../../bin/pipe.js', import.meta.url));
const counter = pathToFileURL(fileURLToPath(new URL('cpu-at-exit.mjs', import.meta.url))).href;

export const runOf = (out: string, approach: Approach, seed: number): Run => ({
  approach,
  seed,
  folder: join(out, approach.name, `seed-${seed}`),
});

/** The run that `run` takes its weights from. */
export const teacherOf = (out: string, { approach, seed }: Run, all: readonly Approach[]): Run | undefined => {
  const teacher = all.find(({ name }) => name === approach.from?.approach);
  return teacher && runOf(out, teacher, seed);
};

export function overridesOf(run: Run, teacher: Run | undefined): readonly string[] {
  const seed = `run.seed=${run.seed}`;
  if (!teacher) return [seed];
  const checkpoints = join(teacher.folder, 'checkpoints');
  const latest = join(checkpoints, 'latest');
  if (!existsSync(latest)) return [seed];
  const checkpoint = join(checkpoints, readFileSync(latest, 'utf8').trim());
  return [seed, `+nodes.${run.approach.from!.node}.weights=${checkpoint}`];
}

/** What is kept of the run; nothing when it has not ended, or its pipeline or its teacher has changed since. */
export async function keptResult(run: Run, teacher: Run | undefined, device: string): Promise<Result | undefined> {
  const result = read(run);
  if (!result || result.device !== device) return undefined;
  if (teacher && (read(teacher)?.ended ?? Number.POSITIVE_INFINITY) > result.began) return undefined;
  const opened = await openPipeline(run.approach.pipeline, overridesOf(run, teacher), {});
  const { document } = await checkPipeline(opened);
  const now = canonical(document as never);
  return readFileSync(join(run.folder, 'document.json'), 'utf8') === now ? result : undefined;
}

const read = ({ folder }: Run): Result | undefined => {
  const path = join(folder, RESULT);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Result) : undefined;
};

export interface HowToRun {
  readonly device: string;
  /** threads of the backend */
  readonly threads?: number;
  readonly signal: AbortSignal;
}

/** @throws Error that names the log when the process fails */
export async function perform(
  run: Run,
  teacher: Run | undefined,
  { device, threads, signal }: HowToRun,
): Promise<Result> {
  rmSync(run.folder, { recursive: true, force: true });
  mkdirSync(run.folder, { recursive: true });
  const log = join(run.folder, 'log.txt');
  const cpu = join(run.folder, 'cpu-seconds.txt');
  const began = Date.now();
  const words = ['run', run.approach.pipeline, ...overridesOf(run, teacher), '--device', device, '--workers', '1'];
  const child = spawn(process.execPath, [command, ...words, '--out', run.folder], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --import=${counter}`,
      CPU_FILE: cpu,
      ...(threads ? { OMP_NUM_THREADS: String(threads) } : {}),
    },
    signal,
  });
  const file = createWriteStream(log);
  child.stdout.pipe(file, { end: false });
  child.stderr.pipe(file, { end: false });
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once('close', resolve).once('error', reject),
  );
  file.end();
  if (code !== 0) throw new Error(`${run.approach.name}, seed ${run.seed}: exit code ${code}; see ${log}`);
  const ended = Date.now();
  const result: Result = {
    ...readFigures(run.folder),
    device,
    began,
    ended,
    seconds: (ended - began) / 1000,
    cpuSeconds: Number(readFileSync(cpu, 'utf8')),
    load: loadavg()[0],
  };
  writeFileSync(join(run.folder, RESULT), `${JSON.stringify(result, null, 2)}\n`);
  return result;
}
