/** Check a pipeline, open its device, join the other ranks, run: for a process that is alone, or one of several ranks. */
import { resolve } from 'node:path';
import type { JoinedRanks } from '../distributed/join.ts';
import type { Place } from '../distributed/place.ts';
import { runGraph } from '../engine/run.ts';
import type { RunResult } from '../engine/session.ts';
import type { GraphEvent } from '../events.ts';
import { openDevice } from './device.ts';
import { checkPipeline, type DocumentOptions, openPipeline, type PipelineDocument } from './open.ts';
import { askedPrecision } from './precision.ts';
import { coresOf, failTogether, join } from './ranks.ts';

export interface RunRequest extends DocumentOptions {
  readonly out: string;
  readonly overrides?: readonly string[];
  readonly device?: string;
  readonly require?: string;
  readonly workers?: number;
  readonly resume?: string;
  readonly trace?: string;
}

export interface RunListeners {
  readonly signal: AbortSignal;
  readonly stopNow: AbortSignal;
  onEvent?(event: GraphEvent): void;
}

/** @param place among the ranks; undefined: alone */
export async function runPipeline(
  pipeline: string | PipelineDocument,
  request: RunRequest,
  { signal, stopNow, onEvent }: RunListeners,
  place: Place | undefined,
): Promise<RunResult> {
  let joined: JoinedRanks | undefined;
  try {
    const opened = await openPipeline(pipeline, request.overrides ?? [], request);
    const graph = await checkPipeline(opened, { device: request.device });
    const backend = await openDevice(
      request.device ?? graph.run.device,
      request.require,
      coresOf(place, request.workers ?? graph.run.workers),
      askedPrecision(opened.resolved, graph),
      (message) => onEvent?.({ type: 'notice', level: 'info', from: 'run', message }),
    );
    if (place) joined = await join(place, backend);
    const result = await runGraph(graph, {
      out: resolve(request.out),
      backend,
      ranks: joined?.ranks,
      types: opened.registry,
      workers: request.workers,
      signal,
      stopNow,
      resume: request.resume,
      trace: request.trace,
      onEvent,
    });
    await joined?.leave();
    return result;
  } catch (error) {
    if (place) await failTogether(error, place, joined);
    throw error;
  }
}
