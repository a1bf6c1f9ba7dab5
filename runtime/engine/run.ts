/** Run a checked graph: once-values, epochs of phases, evaluations, checkpoints. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { canonical } from '../../graph/document/canonical.ts';
import type { GraphEvent } from '../events.ts';
import type { Ranks } from '../node.ts';
import type { TensorBackend } from '../tensor/types.ts';
import { createCheckpointWriter } from '../train/checkpoint.ts';
import { diskFiles, type Files, replaceFile } from '../train/files.ts';
import type { OpenSource } from './batches.ts';
import { type Chosen, chooseCheckpoint } from './choose.ts';
import type { Graph } from './edges.ts';
import { formatMissing, missingKernels } from './kernels.ts';
import { type LocatedTypes, loaderSources } from './loader.ts';
import { runSession } from './loop.ts';
import { openMetrics } from './metrics-file.ts';
import { openSession } from './open-session.ts';
import { createPlan, type Plan, trains } from './plan.ts';
import { producer } from './producer.ts';
import { singleRank } from './ranks.ts';
import { createRecorder } from './recorder.ts';
import { loadSchedules } from './schedules.ts';
import type { RunResult, Session } from './session.ts';
import { createSources } from './sources.ts';
import { type Step, standardStep } from './step.ts';
import { createStop } from './stop.ts';
import { inlineStreams, type Streams } from './streams.ts';
import { createTrace } from './trace.ts';
import type { OpenWeights } from './weights.ts';

export interface RunOptions {
  /** run folder, made if missing */
  readonly out: string;
  readonly backend: TensorBackend;
  /** node types: for schedules written inline, and for worker threads */
  readonly types: LocatedTypes;
  /** worker threads instead of the document's number */
  readonly workers?: number;
  /** other batches than the loader's */
  readonly openSource?: OpenSource;
  /** aborted: finish the step, write a checkpoint, return with status `stopped` */
  readonly signal?: AbortSignal;
  /** aborted: stop now, without a checkpoint */
  readonly stopNow?: AbortSignal;
  /** auto: go on from the newest whole checkpoint in `out`; fresh: begin anew; or a checkpoint's folder. Default auto */
  readonly resume?: 'auto' | 'fresh' | (string & {});
  /** write a Chrome trace of nodes, streams and waits there */
  readonly trace?: string;
  readonly onEvent?: (event: GraphEvent) => void;
  /** opens weights files that are not safetensors */
  readonly openWeights?: OpenWeights;
  readonly ranks?: Ranks;
  readonly streams?: Streams;
  /** what a batch does, over the plan's stages; default VISSL's order */
  readonly step?: Step;
  readonly files?: Files;
}

/** The plan needs kernels that the backend does not have. */
export class KernelError extends Error {
  override readonly name = 'KernelError';
}

/**
 * @throws Error when the graph cannot be scheduled, KernelError when the backend cannot run it, ResumeError when the checkpoint is another pipeline's,
 * HookError, NodeError, CheckpointError
 */
export async function runGraph(graph: Graph, options: RunOptions): Promise<RunResult> {
  const { out, backend, files = diskFiles } = options;
  const plan = createPlan(graph);
  await refuseMissingKernels(plan, backend);
  await mkdir(out, { recursive: true });
  const folder = join(out, 'checkpoints');
  const waiting: GraphEvent[] = [];
  let tell = (event: GraphEvent): void => {
    waiting.push(event);
  };
  const began = performance.now();
  // the loader's clock is the process's
  const notify = (event: GraphEvent): void =>
    tell(event.type === 'wait' ? { ...event, start: event.start - began, end: event.end - began } : event);
  const notice = (from: string, level: 'info' | 'warning', message: string, cure?: string): void =>
    notify({ type: 'notice', level, from, message, cure });

  const chosen: Chosen = trains(plan)
    ? await chooseCheckpoint(plan, folder, options.resume ?? 'auto', notice, files)
    : { finished: false };
  if (chosen.finished) {
    const { path, manifest } = chosen.from!;
    return { status: 'finished', iteration: manifest.position.iteration, metrics: {}, checkpoint: path };
  }
  await replaceFile(files, join(out, 'document.json'), canonical(graph.document as never));

  const stop = createStop(options.signal, options.stopNow);
  const trace = options.trace === undefined ? undefined : createTrace(options.trace);
  const recorder = createRecorder(out, (error) =>
    notice('run', 'warning', `events.jsonl cannot be written any more: ${error.message}`),
  );
  const ranks = options.ranks ?? singleRank;
  const openSource =
    options.openSource ??
    loaderSources({ graph, types: options.types, ranks, workers: options.workers, signal: stop.now, notify });
  const sources = createSources(plan, openSource);
  let session: Session | undefined;
  try {
    session = await openSession({
      plan,
      out,
      began,
      backend,
      stop,
      sources,
      notice,
      resume: chosen.from,
      ranks,
      streams: options.streams ?? inlineStreams,
      step: options.step ?? standardStep,
      schedules: await loadSchedules(
        [...graph.nodes, ...graph.hooks].map(({ params }) => params),
        options.types,
        graph.run.epochs,
      ),
      metrics: await openMetrics(out, chosen.from?.manifest.metricsBytes ?? 0),
      writer: createCheckpointWriter(folder, producer, files),
      openWeights: options.openWeights,
    });
    const { bus } = session;
    bus.events.subscribe(recorder.observe);
    if (trace) bus.events.subscribe(trace.observe);
    if (options.onEvent) bus.events.subscribe(options.onEvent);
    tell = bus.emit;
    for (const event of waiting) bus.emit(event);
    return await runSession(session);
  } finally {
    stop.dispose();
    await sources.close();
    session?.dispose();
    await recorder.close();
    await trace?.close();
  }
}

async function refuseMissingKernels(plan: Plan, backend: TensorBackend): Promise<void> {
  const missing = await missingKernels(plan, backend);
  if (missing.length === 0) return;
  const { availableBackends, openBackend } = await import('../tensor/backend.ts');
  const others = new Map<string, ReadonlySet<string>>();
  for (const { name, available } of await availableBackends()) {
    if (available && name !== backend.name) others.set(name, (await openBackend(name)).kernels());
  }
  backend.activate();
  throw new KernelError(formatMissing(missing, backend.name, others));
}
