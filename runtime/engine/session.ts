/** A run under way: what its parts share. */
import type { HookEvent, HookEventType, RunView } from '../events.ts';
import type { BatchStep, RunFacts, Value } from '../node.ts';
import type { DeviceStreams, TensorBackend } from '../tensor/types.ts';
import type { CheckpointWriter } from '../train/checkpoint.ts';
import type { FoundCheckpoint } from '../train/resume.ts';
import type { OpenWeights } from '../train/weights-file.ts';
import type { CheckpointRequests } from './checkpointing.ts';
import type { Counters } from './counters.ts';
import type { EventBus } from './events.ts';
import type { Metrics, MetricsFile } from './metrics-file.ts';
import type { InlineOptimizers } from './optimizers.ts';
import type { Plan } from './plan.ts';
import type { RunRanks } from './ranks.ts';
import type { RunningGraph } from './running.ts';
import type { Schedules } from './schedules.ts';
import type { Sources } from './sources.ts';
import type { EngineState } from './state.ts';
import type { BatchHost, StepView } from './step.ts';
import type { Stop } from './stop.ts';

export interface SessionOptions {
  readonly plan: Plan;
  readonly out: string;
  /** `performance.now()` when the run began */
  readonly began: number;
  readonly backend: TensorBackend;
  readonly stop: Stop;
  readonly sources: Sources;
  /** values of rate once, by ref */
  readonly once: Map<string, Value>;
  readonly resume?: FoundCheckpoint;
  readonly ranks: RunRanks;
  readonly streams: DeviceStreams;
  readonly step: BatchStep;
  readonly schedules: Schedules;
  readonly inlineOptimizers: InlineOptimizers;
  readonly metrics: MetricsFile;
  /** folder of the checkpoints */
  readonly checkpoints: string;
  readonly writer: CheckpointWriter;
  readonly openWeights?: OpenWeights;
  notice(from: string, level: 'info' | 'warning', message: string, cure?: string): void;
}

export interface Session extends SessionOptions {
  readonly facts: RunFacts;
  readonly running: RunningGraph;
  readonly state: EngineState;
  readonly counters: Counters;
  readonly host: BatchHost;
  readonly bus: EventBus;
  readonly view: RunView;
  readonly requests: CheckpointRequests;
  /** the running step, if one runs */
  stepView: StepView | undefined;
  /** numbers reported last, by name */
  readonly lastMetrics: Record<string, number>;
  /** newest checkpoint written or gone on from */
  lastCheckpoint: string | undefined;
  /** its name, on every rank */
  savedAs: string | undefined;
  dispatch(type: HookEventType, known?: Partial<HookEvent>, between?: () => void): Promise<void>;
  report(facts: Readonly<Record<string, unknown>>, metrics: Metrics): Promise<void>;
  dispose(): void;
}

export interface RunResult {
  /** done: to its end; finished: it was complete before; stopped: asked to stop */
  readonly status: 'done' | 'finished' | 'stopped';
  readonly iteration: number;
  /** numbers that meters and evaluators reported last, by name */
  readonly metrics: Readonly<Record<string, number>>;
  /** newest checkpoint of this run */
  readonly checkpoint?: string;
  /** how to go on, for `stopped` */
  readonly resumeHint?: string;
}
