/** events.jsonl: what happened in the run, one JSON object a line; steps at VISSL's log moments only. */
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import type { GraphEvent } from '../events.ts';

export interface Recorder {
  observe(event: GraphEvent): void;
  close(): Promise<void>;
}

const ALWAYS: ReadonlySet<GraphEvent['type']> = new Set([
  'start',
  'phase_start',
  'phase_end',
  'end',
  'exception',
  'checkpoint',
  'metrics',
  'bad_sample',
  'notice',
]);

/** Iteration 1, every 10th, and every 5th of the first 100. */
export const isLogMoment = (iteration: number): boolean =>
  iteration === 1 || iteration % 10 === 0 || (iteration <= 100 && iteration % 5 === 0);

/** Appends. A disk that cannot be written to costs the record, not the run: `failed` is told once. */
export function createRecorder(out: string, failed: (error: Error) => void): Recorder {
  const stream = createWriteStream(join(out, 'events.jsonl'), { flags: 'a' });
  let broken = false;
  stream.on('error', (error) => {
    if (!broken) failed(error);
    broken = true;
  });
  return {
    observe(event) {
      if (broken) return;
      const logged = event.type === 'step' && event.progress.training && isLogMoment(event.progress.iteration);
      if (ALWAYS.has(event.type) || logged) stream.write(`${JSON.stringify(event, plain)}\n`);
    },
    close: () =>
      new Promise((resolve) => {
        stream.once('close', () => resolve());
        if (broken) resolve();
        else stream.end();
      }),
  };
}

const plain = (_key: string, value: unknown): unknown => {
  if (value instanceof Error) return value.message;
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
};
