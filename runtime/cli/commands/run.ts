/** `pipe run`: check, then run with progress; the first Ctrl-C ends after the step with a checkpoint, the second at once. */
import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { runGraph } from '../../engine/run.ts';
import type { GraphEvent } from '../../events.ts';
import { openDevice } from '../../pipeline/device.ts';
import { checkPipeline, type DocumentOptions, openPipeline } from '../../pipeline/open.ts';
import { WrongRequest } from '../../pipeline/wrong-request.ts';
import { exitCode, plural, printNotes } from '../output.ts';
import { createProgress, formatDuration, formatMetrics } from '../progress.ts';

interface RunOptions extends DocumentOptions {
  readonly json?: boolean;
  readonly out?: string;
  readonly device?: string;
  readonly require?: string;
  readonly resume?: string;
  readonly fresh?: boolean;
  readonly workers?: number;
  readonly trace?: string;
}

/** Two aborts: stop after the step, and stop now. */
function listenForSignals(say: (text: string) => void): { stop: AbortSignal; now: AbortSignal; release(): void } {
  const [stop, now] = [new AbortController(), new AbortController()];
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stop.signal.aborted) now.abort();
    else {
      say(`${signal}: finishing the step and writing a checkpoint; once more to stop at once`);
      stop.abort();
    }
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    stop: stop.signal,
    now: now.signal,
    release() {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}

/** Bad pictures, counted by dataset, a few of them by name. */
class BadSamples {
  private readonly byDataset = new Map<string, { count: number; shown: Set<string> }>();

  observe(event: GraphEvent): void {
    if (event.type !== 'bad_sample') return;
    const of = this.byDataset.get(event.dataset) ?? { count: 0, shown: new Set<string>() };
    of.count++;
    if (of.shown.size < 10) of.shown.add(`${event.path ?? `sample ${event.index}`}: ${event.reason}`);
    this.byDataset.set(event.dataset, of);
  }

  lines(): readonly string[] {
    return [...this.byDataset].flatMap(([dataset, { count, shown }]) => [
      `${dataset}: ${plural(count, 'bad image')}, gray in their place`,
      ...[...shown].map((line) => `  ${line}`),
    ]);
  }
}

export async function run(pipeline: string, overrides: readonly string[], options: RunOptions): Promise<void> {
  if (options.workers !== undefined && !(Number.isInteger(options.workers) && options.workers >= 0)) {
    throw new WrongRequest([{ layer: 'environment', message: '--workers wants a whole number, 0 or more' }]);
  }
  const opened = await openPipeline(pipeline, overrides, options);
  const graph = await checkPipeline(opened);
  const out = resolve(options.out ?? join('runs', graph.name));
  if (options.resume && !existsSync(options.resume)) {
    throw new WrongRequest([{ layer: 'environment', message: `there is no checkpoint at ${options.resume}` }]);
  }
  const backend = await openDevice(options.device ?? graph.run.device, options.require, {
    precision: graph.run.precision,
  });
  const progress = createProgress({
    isTTY: process.stderr.isTTY === true,
    columns: process.stderr.columns ?? 120,
    write: (text) => process.stderr.write(text),
  });
  const say = (text: string): void => {
    progress.done();
    process.stderr.write(`${text}\n`);
  };
  printNotes(opened.resolved);
  const shownOut = relative(process.cwd(), out) || out;
  say(`${graph.name} on ${backend.name} (${backend.device}), into ${shownOut}`);

  const signals = listenForSignals(say);
  const bad = new BadSamples();
  const began = performance.now();
  try {
    const result = await runGraph(graph, {
      out,
      backend,
      types: opened.registry,
      workers: options.workers,
      signal: signals.stop,
      stopNow: signals.now,
      resume: options.fresh ? 'fresh' : (options.resume ?? 'auto'),
      trace: options.trace,
      onEvent: (event) => {
        progress.observe(event);
        bad.observe(event);
      },
    });
    progress.done();
    for (const line of bad.lines()) say(line);
    if (options.json) process.stdout.write(`${JSON.stringify({ ...result, out })}\n`);
    const metrics = formatMetrics(result.metrics);
    if (result.status === 'finished') say(`${shownOut} holds this run already, complete; --fresh begins anew`);
    else if (result.status === 'stopped') say(`stopped at iteration ${result.iteration}. ${result.resumeHint ?? ''}`);
    else say(`done in ${formatDuration((performance.now() - began) / 1000)}${metrics ? `: ${metrics}` : ''}`);
  } catch (error) {
    progress.done();
    for (const line of bad.lines()) say(line);
    throw error;
  } finally {
    signals.release();
  }
  process.exitCode ??= exitCode.done;
}
