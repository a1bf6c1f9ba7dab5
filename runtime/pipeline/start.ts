/** Run a pipeline from a program: the same checks, runtime and events as the command. */
import { resolve } from 'node:path';
import { type Observable, Subject } from 'rxjs';
import type { RunResult } from '../engine/session.ts';
import type { GraphEvent } from '../events.ts';
import { launchPipeline } from './launch.ts';
import { checkPipeline, type DocumentOptions, openPipeline, type PipelineDocument } from './open.ts';
import { ownPlace, type RankOptions, refuse, startsRanks } from './ranks.ts';
import { type RunListeners, runPipeline } from './run.ts';

export interface StartOptions extends DocumentOptions, RankOptions {
  /** run folder, made if missing; nothing is written elsewhere */
  readonly out: string;
  /** "epochs=5", "nodes.loss.temperature=0.2", "+nodes.loss.note=x" */
  readonly overrides?: readonly string[];
  /** default: what the document says */
  readonly device?: string;
  /** gpu: fail rather than run on a CPU */
  readonly require?: string;
  /** worker threads; default: what the document says */
  readonly workers?: number;
  /** auto: go on from the newest checkpoint in `out`; fresh: begin anew; or a checkpoint's folder. Default auto */
  readonly resume?: string;
  /** aborted: finish the step, write a checkpoint, end */
  readonly signal?: AbortSignal;
  /** Chrome trace file */
  readonly trace?: string;
}

export interface PipelineRun {
  /** everything that happens, on rank 0 where there are several; completes with the run */
  readonly events: Observable<GraphEvent>;
  /**
   * How the run ended.
   * @throws WrongRequest before anything ran; whatever made the run fail afterwards
   */
  readonly finished: Promise<RunResult>;
  /** finish the step, write a checkpoint, end */
  stop(): void;
  /** end at once, without a checkpoint */
  abort(): void;
}

/**
 * Check a pipeline and run it: in this process, or with `ranks` (or `nodes`) in one per rank, whose events and result come
 * here. A process that torchrun or SLURM has started as one of several is one of the ranks. Subscribe to `events` right
 * away: the run begins in a later turn of the event loop.
 * @example const run = startPipeline({ extends: 'quick/swav' }, { out: 'runs/try' }); await run.finished;
 */
export function startPipeline(pipeline: string | PipelineDocument, options: StartOptions): PipelineRun {
  const events = new Subject<GraphEvent>();
  const [stop, now] = [new AbortController(), new AbortController()];
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  const listeners: RunListeners = { signal, stopNow: now.signal, onEvent: (event) => events.next(event) };
  const begin = async (): Promise<RunResult> =>
    startsRanks(options, (option) => option)
      ? startOnRanks(pipeline, options, listeners)
      : runPipeline(pipeline, options, listeners, ownPlace());
  const finished = begin().finally(() => events.complete());
  // a caller that only listens to events still gets the rejection through `finished`, not as an unhandled one
  finished.catch(() => {});
  return { events: events.asObservable(), finished, stop: () => stop.abort(), abort: () => now.abort() };
}

async function startOnRanks(
  pipeline: string | PipelineDocument,
  options: StartOptions,
  listeners: RunListeners,
): Promise<RunResult> {
  if (options.types && options.types.length > 0) {
    throw refuse(
      'types: node types made in this program are not known to the processes of other ranks',
      'Put them into a file, and name it in plugin',
    );
  }
  const { device, require, workers, resume, trace, plugin } = options;
  const opened = await openPipeline(pipeline, options.overrides ?? [], options);
  const { document } = await checkPipeline(opened, { device });
  const request = { out: resolve(options.out), device, require, workers, resume, trace, plugin };
  return launchPipeline(document as PipelineDocument, request, listeners, options);
}
