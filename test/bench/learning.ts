/**
 * What each approach learns: every quick pipeline through `pipe run`, kNN of the untrained and of the trained trunk,
 * mean and standard deviation over seeds. A run that has ended is kept in the folder and not run again, unless its
 * pipeline has changed; the table is made anew of what is there and written beside the runs as learning.md.
 *
 * Usage: npm run bench:learning -- [--device torch] [--seeds 3] [--only moco,swav] [--out FOLDER] [--jobs 1] [--show]
 * --jobs: runs side by side, with one thread each. --show runs nothing.
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { formatDuration } from '../../runtime/cli/progress.ts';
import { type Approach, approaches } from './learning/approaches.ts';
import { keptResult, perform, type Result, type Run, runOf, teacherOf } from './learning/runs.ts';
import { markdownTable, textTable } from './learning/table.ts';

const { values } = parseArgs({
  options: {
    device: { type: 'string', default: 'torch' },
    seeds: { type: 'string', default: '3' },
    only: { type: 'string' },
    out: { type: 'string', default: 'runs/learning' },
    jobs: { type: 'string', default: '1' },
    show: { type: 'boolean', default: false },
  },
});
const { device } = values;
const out = resolve(values.out);
const jobs = Number(values.jobs);
const all = approaches();
const chosen = choose(values.only?.split(','));
const say = (text: string) => process.stderr.write(`${text}\n`);

/** The rows asked for, and before them those whose trunks they take. */
function choose(only: readonly string[] | undefined): readonly Approach[] {
  const unknown = only?.filter((name) => !all.some((approach) => approach.name === name)) ?? [];
  if (unknown.length > 0) {
    throw new Error(`no approach is called ${unknown.join(', ')}; there are ${all.map(({ name }) => name).join(', ')}`);
  }
  const wanted = all.filter(({ name }) => !only || only.includes(name));
  const teachers = all.filter(({ name }) => wanted.some(({ from }) => from?.approach === name));
  return [...new Set([...teachers, ...wanted])];
}

const seeds = Array.from({ length: Number(values.seeds) }, (_, seed) => seed);
/** seed by seed, so that an early look at the table shows every row */
const runs = seeds.flatMap((seed) => chosen.map((approach) => runOf(out, approach, seed)));
const results = new Map<string, Result>();
const stop = new AbortController();
process.once('SIGINT', () => stop.abort()).once('SIGTERM', () => stop.abort());

const failures: string[] = [];
/** ended, well or not, in this call */
const settled = new Map<string, Promise<void>>();
const began = Date.now();
let left = runs.length;
let done = 0;

async function one(run: Run): Promise<void> {
  const teacher = teacherOf(out, run, all);
  if (teacher) await settled.get(teacher.folder);
  const name = `${run.approach.name}, seed ${run.seed}`;
  try {
    const kept = await keptResult(run, teacher, device);
    if (!kept && values.show) return;
    const result =
      kept ?? (await perform(run, teacher, { device, signal: stop.signal, ...(jobs > 1 ? { threads: 1 } : {}) }));
    results.set(run.folder, result);
    left--;
    if (kept) return;
    done++;
    const eta = formatDuration(((Date.now() - began) / 1000 / done) * left);
    say(`${name}: ${describe(result)}; ${runs.length - left} of ${runs.length} runs, eta ${eta}`);
  } catch (error) {
    left--;
    if (stop.signal.aborted) return;
    failures.push((error as Error).message);
    say((error as Error).message);
  }
}

const describe = ({ before, after, seconds, load }: Result): string =>
  `${before === undefined ? '' : `${before.toFixed(1)} → `}${after.toFixed(1)} % in ${seconds.toFixed(0)} s, load ${load.toFixed(1)}`;

const waiting = [...runs];
async function work(): Promise<void> {
  for (let run = waiting.shift(); run && !stop.signal.aborted; run = waiting.shift()) {
    const end = one(run);
    settled.set(run.folder, end);
    await end;
  }
}
await Promise.all(Array.from({ length: jobs }, work));

const rows = chosen.map((approach) => ({
  name: approach.name,
  results: seeds.flatMap((seed) => results.get(runOf(out, approach, seed).folder) ?? []),
}));
const loads = [...results.values()].map(({ load }) => load);
const conditions =
  `device ${device}; mean ± standard deviation over seeds; seconds under a load of ` +
  `${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)} on ${availableParallelism()} cores`;
process.stdout.write(`${textTable(rows)}${results.size > 0 ? `${conditions}\n` : ''}`);
if (results.size > 0) writeFileSync(join(out, 'learning.md'), `${markdownTable(rows)}\n${conditions}\n`);
for (const failure of failures) say(failure);
if (failures.length > 0 || stop.signal.aborted) process.exitCode = 1;
