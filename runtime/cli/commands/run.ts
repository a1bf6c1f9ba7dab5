/** `pipe run`: check, then run with progress; the first Ctrl-C ends after the step with a checkpoint, the second at once. */
import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import type { JoinedRanks } from '../../distributed/join.ts';
import type { Place } from '../../distributed/place.ts';
import { runGraph } from '../../engine/run.ts';
import type { GraphEvent } from '../../events.ts';
import { openDevice } from '../../pipeline/device.ts';
import { checkPipeline, openPipeline } from '../../pipeline/open.ts';
import { askedPrecision } from '../../pipeline/precision.ts';
import {
  coresOf,
  endWithLauncher,
  failTogether,
  join as joinOthers,
  ownPlace,
  startsRanks,
} from '../../pipeline/ranks.ts';
import { WrongRequest } from '../../pipeline/wrong-request.ts';
import { exitCode, plural, printNotes } from '../output.ts';
import { createProgress, formatDuration, formatMetrics } from '../progress.ts';
import { flag, launch, type RunArguments } from '../ranks.ts';

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

export async function run(pipeline: string, overrides: readonly string[], options: RunArguments): Promise<void> {
  if (startsRanks(options, flag)) {
    process.exitCode = await launch(pipeline, overrides, options);
    return;
  }
  const place = ownPlace();
  if (!place) return runRank(pipeline, overrides, options, {});
  endWithLauncher();
  const one: OneOfMany = { place };
  try {
    await runRank(pipeline, overrides, options, one);
    await one.joined?.leave();
  } catch (error) {
    if (!(await failTogether(error, place, one.joined))) throw error;
    process.exitCode = exitCode.wrongRequest;
  }
}

/** One of several ranks. */
interface OneOfMany {
  readonly place?: Place;
  joined?: JoinedRanks;
}

async function runRank(
  pipeline: string,
  overrides: readonly string[],
  options: RunArguments,
  one: OneOfMany,
): Promise<void> {
  const { place } = one;
  const first = (place?.rank ?? 0) === 0;
  if (options.workers !== undefined && !(Number.isInteger(options.workers) && options.workers >= 0)) {
    throw new WrongRequest([{ layer: 'environment', message: '--workers wants a whole number, 0 or more' }]);
  }
  const opened = await openPipeline(pipeline, overrides, options);
  const graph = await checkPipeline(opened, { device: options.device });
  const out = resolve(options.out ?? join('runs', graph.name));
  if (options.resume && !existsSync(options.resume)) {
    throw new WrongRequest([{ layer: 'environment', message: `there is no checkpoint at ${options.resume}` }]);
  }
  const backend = await openDevice(
    options.device ?? graph.run.device,
    options.require,
    coresOf(place, options.workers ?? graph.run.workers),
    askedPrecision(opened.resolved, graph),
    (message) => first && process.stderr.write(`note: ${message}\n`),
  );
  if (place) one.joined = await joinOthers(place, backend);
  const ranks = one.joined?.ranks;
  const progress = createProgress({
    isTTY: process.stderr.isTTY === true,
    columns: process.stderr.columns ?? 120,
    write: (text) => process.stderr.write(text),
  });
  const say = (text: string): void => {
    progress.done();
    process.stderr.write(`${text}\n`);
  };
  const tell = first ? say : () => undefined;
  if (first) printNotes(opened.resolved);
  const shownOut = relative(process.cwd(), out) || out;
  const many = ranks ? `, ${ranks.size} ranks` : '';
  tell(`${graph.name} on ${backend.name} (${backend.device})${many}, into ${shownOut}`);

  const signals = listenForSignals(tell);
  const bad = new BadSamples();
  const began = performance.now();
  try {
    const result = await runGraph(graph, {
      out,
      backend,
      ranks,
      types: opened.registry,
      workers: options.workers,
      signal: signals.stop,
      stopNow: signals.now,
      resume: options.fresh ? 'fresh' : (options.resume ?? 'auto'),
      trace: options.trace,
      onEvent: (event) => {
        if (first) progress.observe(event);
        bad.observe(event);
      },
    });
    progress.done();
    for (const line of bad.lines()) say(line);
    if (options.json && first) process.stdout.write(`${JSON.stringify({ ...result, out })}\n`);
    const metrics = formatMetrics(result.metrics);
    if (result.status === 'finished') tell(`${shownOut} holds this run already, complete; --fresh begins anew`);
    else if (result.status === 'stopped') tell(`stopped at iteration ${result.iteration}. ${result.resumeHint ?? ''}`);
    else tell(`done in ${formatDuration((performance.now() - began) / 1000)}${metrics ? `: ${metrics}` : ''}`);
  } catch (error) {
    progress.done();
    for (const line of bad.lines()) say(line);
    throw error;
  } finally {
    signals.release();
  }
  process.exitCode ??= exitCode.done;
}
