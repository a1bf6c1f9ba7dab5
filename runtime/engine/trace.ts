/** Traces in Chrome's JSON format (chrome://tracing, ui.perfetto.dev): nodes, streams, waits, copies. */
import { createWriteStream } from 'node:fs';
import type { GraphEvent } from '../events.ts';

export interface Trace {
  observe(event: GraphEvent): void;
  close(): Promise<void>;
}

const HOOKS: ReadonlySet<string> = new Set(['start', 'phase_start', 'phase_end', 'end', 'exception']);

/** Times of events are ms since the run began; in the file they are µs. A disk that fails costs the trace, not the run. */
export function createTrace(path: string, failed: (error: Error) => void): Trace {
  const stream = createWriteStream(path);
  let broken = false;
  stream.on('error', (error) => {
    broken = true;
    failed(error);
  });
  const lanes = new Map<string, number>();
  let first = true;
  const put = (entry: object): void => {
    if (!broken) stream.write(`${first ? '[' : ','}\n${JSON.stringify({ pid: process.pid, ...entry })}`);
    first = false;
  };
  const lane = (name: string): number => {
    let tid = lanes.get(name);
    if (tid === undefined) {
      tid = lanes.size + 1;
      lanes.set(name, tid);
      put({ ph: 'M', name: 'thread_name', tid, args: { name } });
    }
    return tid;
  };
  const span = (name: string, on: string, cat: string, start: number, end: number, args?: object): void =>
    put({ ph: 'X', name, cat, tid: lane(on), ts: start * 1000, dur: Math.max(0, end - start) * 1000, args });
  let latest = 0;

  return {
    observe(event) {
      if (event.type === 'node') {
        const { epoch, iteration, phase } = event.progress;
        span(event.node, event.stream, event.stage, event.start, event.end, { phase, epoch, iteration });
        latest = event.end;
      } else if (event.type === 'wait') {
        span(event.on, 'waits', 'wait', event.start, event.end);
      } else if (HOOKS.has(event.type)) {
        put({ ph: 'i', s: 'g', name: event.type, cat: 'event', tid: lane('events'), ts: latest * 1000 });
      }
    },
    close: () =>
      new Promise((resolve) => {
        stream.once('close', () => resolve());
        if (broken) resolve();
        else stream.end(first ? '[]\n' : '\n]\n');
      }),
  };
}
