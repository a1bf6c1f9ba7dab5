/** Run a pipeline from a program: the same checks, runtime and events as the command. */
import { resolve } from 'node:path';
import { type Observable, Subject } from 'rxjs';
import { runGraph } from '../engine/run.ts';
import type { RunResult } from '../engine/session.ts';
import type { GraphEvent } from '../events.ts';
import { openDevice } from './device.ts';
import { checkPipeline, type DocumentOptions, openPipeline, type PipelineDocument } from './open.ts';

export interface StartOptions extends DocumentOptions {
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
  /** everything that happens; completes with the run */
  readonly events: Observable<GraphEvent>;
  /**
   * How the run ended.
   * @throws WrongRequest before anything ran; whatever made the run fail afterwards
   */
  readonly finished: Promise<RunResult>;
  /** finish the step, write a checkpoint, end */
  stop(): void;
}

/**
 * Check a pipeline and run it. Subscribe to `events` right away: the run begins in a later turn of the event loop.
 * @example const run = startPipeline({ extends: 'quick/swav' }, { out: 'runs/try' }); await run.finished;
 */
export function startPipeline(pipeline: string | PipelineDocument, options: StartOptions): PipelineRun {
  const events = new Subject<GraphEvent>();
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  const begin = async (): Promise<RunResult> => {
    const opened = await openPipeline(pipeline, options.overrides ?? [], options);
    const graph = await checkPipeline(opened);
    const backend = await openDevice(options.device ?? graph.run.device, options.require, {
      precision: graph.run.precision,
    });
    return runGraph(graph, {
      out: resolve(options.out),
      backend,
      types: opened.registry,
      workers: options.workers,
      signal,
      resume: options.resume,
      trace: options.trace,
      onEvent: (event) => events.next(event),
    });
  };
  const finished = begin().finally(() => events.complete());
  // a caller that only listens to events still gets the rejection through `finished`, not as an unhandled one
  finished.catch(() => {});
  return { events: events.asObservable(), finished, stop: () => stop.abort() };
}
