/**
 * Everything that happens is a GraphEvent on one observable. The nine events from `start` to `end` keep VISSL's order
 * and meaning; per batch: forward → loss_and_meter → (training) backward → update → step.
 */
import type { ModelSummary } from '../graph/model/summary.ts';
import type { Tensor } from './tensor/types.ts';

/** Where the run stands. Counters as after the work that the event names. */
export interface Progress {
  /** phase name, e.g. train */
  readonly phase: string;
  /** true in a phase with an optimizer */
  readonly training: boolean;
  /** 0-based count of training phases begun, minus 1; -1 before the first */
  readonly epoch: number;
  readonly epochs: number;
  /** training steps done since the run began, resumed runs included */
  readonly iteration: number;
  /** training steps of the whole run */
  readonly maxIterations: number;
  /** batches done in this phase */
  readonly step: number;
  readonly steps: number;
  /** share of training done, [0, 1) */
  readonly where: number;
}

/** How fast the run is. */
export interface Speed {
  /** ms of the last step, and mean of this phase's steps since the process began */
  readonly step: number;
  readonly mean: number;
  /** over all ranks, by the mean */
  readonly imagesPerSecond: number;
  /** share of the phase's time spent waiting for batches, [0, 1] */
  readonly waiting: number;
  /** seconds of training left: mean step time × training steps left; absent in other phases */
  readonly eta?: number;
}

export type HookEventType =
  | 'start'
  | 'phase_start'
  | 'forward'
  | 'loss_and_meter'
  | 'backward'
  | 'update'
  | 'step'
  | 'phase_end'
  | 'end'
  | 'exception';

export interface HookEvent {
  readonly type: HookEventType;
  readonly time: number;
  readonly progress: Progress;
  /** from `loss_and_meter` on, in a phase with a loss: mean over ranks */
  readonly loss?: number;
  /** learning rates by optimizer group, from `update` on */
  readonly lr?: readonly number[];
  /** weight decays that follow a schedule, by optimizer group, from `update` on; absent when there are none */
  readonly weightDecay?: readonly number[];
  /** what the loss was multiplied by for the backward pass, from `update` on, in float16 */
  readonly lossScale?: number;
  /** images (not views) in this batch over all ranks */
  readonly images?: number;
  /** `step` */
  readonly speed?: Speed;
  /** `phase_end`, `end`: names → numbers that meters and evaluators reported */
  readonly metrics?: Readonly<Record<string, number>>;
  readonly error?: unknown;
}

export type GraphEvent =
  | HookEvent
  /** one node ran; times in ms since the run began */
  | {
      readonly type: 'node';
      readonly node: string;
      readonly stream: string;
      readonly stage: 'forward' | 'backward' | 'once' | 'load';
      readonly start: number;
      readonly end: number;
      readonly progress: Progress;
    }
  /** the rank waited for a batch, a stream, or other ranks */
  | { readonly type: 'wait'; readonly on: string; readonly start: number; readonly end: number }
  | { readonly type: 'checkpoint'; readonly path: string; readonly iteration: number }
  | {
      readonly type: 'metrics';
      readonly time: number;
      readonly node: string;
      readonly progress: Progress;
      readonly metrics: Readonly<Record<string, number>>;
    }
  | {
      readonly type: 'bad_sample';
      readonly dataset: string;
      readonly index: number;
      readonly path?: string;
      readonly reason: string;
    }
  | {
      readonly type: 'notice';
      readonly level: 'info' | 'warning';
      readonly from: string;
      readonly message: string;
      readonly cure?: string;
    };

/** What a hook may do and see besides the event. */
export interface RunView {
  readonly out: string;
  readonly epochs: number;
  readonly seed: number;
  /** position of this process among `ranks`; files are written by rank 0 */
  readonly rank: number;
  readonly ranks: number;
  /** what the model nodes cost, by name, known without running them */
  readonly models: ReadonlyMap<string, ModelSummary>;
  /** outputs that models read from the rest of the graph or give to it: "batch.images", "head.scores" */
  readonly modelPorts: readonly string[];
  /** output of a node in the running step, "head.scores"; valid until the step ends. Undefined when it did not run. */
  output(ref: string): Tensor | readonly Tensor[] | undefined;
  /** parameters by full name: "<node>.<state-dict name>" */
  readonly parameters: ReadonlyMap<string, ParameterView>;
  /** running statistics of batch norm, named the same way; they have no gradient */
  readonly buffers: ReadonlyMap<string, ParameterView>;
  /**
   * Write a checkpoint (at step, phase_end, end) when all hooks have seen the event; resolves to its folder. Then the
   * oldest beyond `keep` are deleted (default 0: none is).
   */
  checkpoint(reason: string, options?: { readonly keep?: number }): Promise<string>;
  /** run a phase's batches without gradient and collect ports; used by memories, evaluators */
  pass(request: PassRequest): Promise<void>;
  notice(level: 'info' | 'warning', message: string, cure?: string): void;
  emit(event: GraphEvent): void;
  /** ask for an orderly stop: finish the step, checkpoint, end */
  stop(reason: string): void;
}

export interface PassRequest {
  readonly phase: string;
  /** refs to collect, "trunk.res5avg" */
  readonly ports: readonly string[];
  /**
   * models work as in training (batch statistics, which move the running ones; dropout), on draws of their own that no
   * epoch uses; default false: models in evaluation mode, draws of the epoch
   */
  readonly training?: boolean;
  /** called per batch in order; tensors are freed after it returns */
  onBatch(values: Readonly<Record<string, Tensor>>): void | Promise<void>;
}

export interface ParameterView {
  readonly name: string;
  readonly node: string;
  /** the live tensor; write with assign */
  value(): Tensor;
  assign(value: Tensor): void;
  /** gradient of the running step, between backward and update; null when there is none */
  gradient(): Tensor | null;
  setGradient(value: Tensor | null): void;
}

/** A hook answers the events it names; the runtime awaits each, in the order the hooks are listed. */
export type HookHandlers = Partial<Record<HookEventType, (event: HookEvent, run: RunView) => void | Promise<void>>> & {
  /** all other events, not awaited */
  observe?(event: GraphEvent): void;
  /** state that checkpoints keep (plain JSON) */
  save?(): unknown;
  load?(state: unknown): void;
};
