import { appendFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, normalize } from 'node:path';
import { defineNode, T } from '../../runtime/node.ts';

/**
 * A line of JSON per training step: iteration, epoch, where, loss, lr, weightDecay (where a schedule moves it), lossScale
 * (in float16), images, time (ms). Lines are written every `flush` steps, with each checkpoint and at the end of a phase; a resumed run
 * drops those of steps that it does again.
 */
export default defineNode({
  type: 'hook/jsonl',
  description: 'Loss and learning rate of every step as lines of JSON in the run folder.',
  role: 'hook',
  params: T.Object({
    file: T.String({ default: 'steps.jsonl', description: 'below the run folder' }),
    every: T.Integer({ default: 1, minimum: 1, description: 'steps between two lines' }),
    flush: T.Integer({ default: 20, minimum: 1, description: 'lines between two writes' }),
  }),
  show: ['file'],
  create: ({ params }) => {
    let path = '';
    let lines: string[] = [];
    let first = true;
    const flush = () => {
      if (lines.length === 0) return;
      appendFileSync(path, lines.join(''));
      lines = [];
    };
    return {
      async start({ progress }, run) {
        first = run.rank === 0;
        if (!first) return;
        path = below(run.out, params.file);
        await mkdir(dirname(path), { recursive: true });
        await keepUntil(path, progress.iteration);
      },
      async update({ progress, loss, lr, weightDecay, lossScale, images, time }) {
        const { iteration, epoch, where } = progress;
        if (!first || iteration % params.every !== 0) return;
        lines.push(
          `${JSON.stringify({ iteration, epoch, where, loss, lr, weightDecay, lossScale, images, time }, finite)}\n`,
        );
        if (lines.length >= params.flush) flush();
      },
      phase_end: flush,
      end: flush,
      exception: flush,
      // steps before a checkpoint are not done again: their lines are in the file as soon as it is written
      observe(event) {
        if (event.type === 'checkpoint') flush();
      },
    };
  },
});

function below(out: string, file: string): string {
  if (!isAbsolute(file) && !normalize(file).startsWith('..')) return join(out, file);
  throw new Error(`hook/jsonl: "${file}" is not below the run folder. Give a relative path without ..`);
}

/** Lines of later iterations are those of a run that was stopped behind its last checkpoint. */
async function keepUntil(path: string, iteration: number): Promise<void> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const kept = text.split('\n').filter((line) => line !== '' && iterationOf(line) <= iteration);
  const wanted = kept.map((line) => `${line}\n`).join('');
  if (wanted !== text) await writeFile(path, wanted);
}

function iterationOf(line: string): number {
  try {
    return Number((JSON.parse(line) as { iteration?: unknown }).iteration);
  } catch {
    return Number.POSITIVE_INFINITY; // a line cut off by the stop
  }
}

/** JSON has no NaN and no infinity: they are written as strings. */
const finite = (_key: string, value: unknown): unknown =>
  typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
