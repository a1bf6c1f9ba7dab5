/** Run a checked graph: once-values, epochs of phases, evaluations, checkpoints. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { canonical } from '../../graph/document/canonical.ts';
import type { GraphEvent } from '../events.ts';
import type { BatchStep, Ranks, Value } from '../node.ts';
import type { DeviceStreams, TensorBackend } from '../tensor/types.ts';
import { createCheckpointWriter } from '../train/checkpoint.ts';
import { diskFiles, type Files, replaceFile } from '../train/files.ts';
import type { OpenWeights } from '../train/weights-file.ts';
import type { OpenSource } from './batches.ts';
import { type Chosen, chooseCheckpoint } from './choose.ts';
import type { Graph } from './edges.ts';
import { formatMissing, missingKernels } from './kernels.ts';
import { type LocatedTypes, loaderSources } from './loader.ts';
import { runSession } from './loop.ts';
import { openMetrics, readMetrics } from './metrics-file.ts';
import { openSession } from './open-session.ts';
import { loadOptimizers } from './optimizers.ts';
import { createPlan, type Plan, trains } from './plan.ts';
import { producer } from './producer.ts';
import { type RunRanks, singleRank } from './ranks.ts';
import { createRecorder } from './recorder.ts';
import { loadSchedules } from './schedules.ts';
import type { RunResult, Session } from './session.ts';
import { createSources } from './sources.ts';
import { standardStep } from './step.ts';
import { createStop } from './stop.ts';
import { inlineStreams } from './streams.ts';
import { createTrace } from './trace.ts';

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
  /** opens weights files; default: safetensors, checkpoints' folders, files of PyTorch */
  readonly openWeights?: OpenWeights;
  readonly ranks?: RunRanks;
  /** instead of the backend's own */
  readonly streams?: DeviceStreams;
  /** what happens with a batch; default: what the document says, else VISSL's order */
  readonly step?: BatchStep;
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
  const ranks = options.ranks ?? singleRank;
  const began = performance.now();
  const observers: ((event: GraphEvent) => void)[] = options.onEvent ? [options.onEvent] : [];
  /** what happens before there are hooks, kept for them */
  const early: GraphEvent[] = [];
  let tell = (event: GraphEvent): void => {
    early.push(event);
    for (const observe of observers) observe(event);
  };
  // the loader's clock is the process's
  const notify = (event: GraphEvent): void =>
    tell(event.type === 'wait' ? { ...event, start: event.start - began, end: event.end - began } : event);
  const notice = (from: string, level: 'info' | 'warning', message: string, cure?: string): void =>
    notify({ type: 'notice', level, from, message, cure });
  const lost = (what: string) => (error: Error) =>
    notice('run', 'warning', `${what} cannot be written any more: ${error.message}`);

  const recorder = ranks.rank === 0 ? createRecorder(out, lost('events.jsonl')) : undefined;
  if (recorder) observers.push(recorder.observe);
  const chosen: Chosen = trains(plan)
    ? await inOrder(ranks, () => chooseCheckpoint(plan, folder, resumeOn(ranks, options), notice, files))
    : { finished: false };
  if (chosen.finished) {
    await recorder?.close();
    const { path, manifest } = chosen.from!;
    const metrics = await readMetrics(out);
    return { status: 'finished', iteration: manifest.position.iteration, metrics, checkpoint: path };
  }
  if (ranks.rank === 0) await replaceFile(files, join(out, 'document.json'), canonical(graph.document as never));

  const stop = createStop(options.signal, options.stopNow, ranks.size === 1);
  const trace =
    options.trace === undefined ? undefined : createTrace(rankPath(options.trace, ranks), lost('the trace'));
  if (trace) observers.push(trace.observe);
  const once = new Map<string, Value>();
  const openSource =
    options.openSource ??
    loaderSources({ graph, types: options.types, ranks, workers: options.workers, once, signal: stop.now, notify });
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
      once,
      notice,
      resume: chosen.from,
      ranks,
      streams: options.streams ?? backend.streams ?? inlineStreams,
      step: options.step ?? ownStep(graph, backend) ?? standardStep,
      schedules: await loadSchedules(
        [...graph.nodes, ...graph.hooks].map(({ params }) => params),
        options.types,
        graph.run.epochs,
      ),
      inlineOptimizers: await loadOptimizers(
        graph.nodes.flatMap(({ declaration, params }) => (declaration.role === 'optimizer' ? [params] : [])),
        options.types,
      ),
      metrics: await openMetrics(out, ranks.rank > 0 ? Infinity : (chosen.from?.manifest.metricsBytes ?? 0)),
      checkpoints: folder,
      writer: createCheckpointWriter(folder, producer, files),
      openWeights: options.openWeights,
    });
    const { bus } = session;
    for (const event of early) bus.emit(event);
    for (const observe of observers) bus.events.subscribe(observe);
    tell = bus.emit;
    return await runSession(session);
  } finally {
    stop.dispose();
    await sources.close();
    session?.dispose();
    await recorder?.close();
    await trace?.close();
  }
}

/** The step that the document names. */
function ownStep({ step }: Graph, { tf, ops }: TensorBackend): BatchStep | undefined {
  if (step?.declaration.role !== 'step') return undefined;
  return step.declaration.create({ name: step.name, params: step.params, tf, ops });
}

/** One trace per rank. */
const rankPath = (path: string, { rank }: Ranks): string => (rank === 0 ? path : `${path}.rank-${rank}`);

/** Rank 0 first, which may move damaged checkpoints aside; then the others. */
async function inOrder<T>(ranks: Ranks, work: () => Promise<T>): Promise<T> {
  if (ranks.rank > 0) await ranks.barrier();
  const result = await work();
  if (ranks.rank === 0) await ranks.barrier();
  return result;
}

/** The other ranks find what rank 0 has left in place: nothing, after a fresh start. */
const resumeOn = ({ rank }: Ranks, { resume = 'auto' }: RunOptions): string =>
  rank > 0 && resume === 'fresh' ? 'auto' : resume;

async function refuseMissingKernels(plan: Plan, backend: TensorBackend): Promise<void> {
  const missing = await missingKernels(plan, backend);
  if (missing.length === 0) return;
  const { availableBackends, openBackend } = await import('../tensor/backend.ts');
  const others = new Map<string, ReadonlySet<string>>();
  for (const { name, available, software } of await availableBackends()) {
    if (available && !software && name !== backend.name) others.set(name, (await openBackend(name)).kernels());
  }
  backend.activate();
  throw new KernelError(formatMissing(missing, backend.name, others));
}
