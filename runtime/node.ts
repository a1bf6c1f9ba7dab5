/**
 * The contract of a node type: one file, one default export made by `defineNode`. Everything else — types, JSON Schema,
 * checks, help, drawing, running, checkpoints — reads this declaration. Importing a node file loads no tensor library.
 */
import { type Static, type TObject, type TSchema, Type } from '#typebox';
import type {
  CollatorStatics,
  DatasetStatics,
  Declared,
  ModelStatics,
  NestedNode,
  TransformStatics,
} from '../graph/node-type.ts';
import type { DType, PortValue } from '../graph/port.ts';
import type { Collator } from './data/collation.ts';
import type { Pixels } from './data/pixels/pixels.ts';
import type { Dataset, Sample, View } from './data/sample.ts';
import type { HookHandlers, RunView } from './events.ts';
import { withModelKeys } from './model-keys.ts';
import type { Random } from './random.ts';
import type { FusedOps, Tensor, TensorApi, Variable } from './tensor/types.ts';

export { type NestedNode, nested } from '../graph/node-type.ts';
export { batch, once, phase, sample } from '../graph/port.ts';
export { Type as T };

/** Facts of the run that nodes may need. */
export interface RunFacts {
  readonly seed: number;
  readonly epochs: number;
  /** batches of one training phase on this rank */
  readonly stepsPerEpoch: number;
  /** images per batch on this rank */
  readonly batchSize: number;
  /** samples in the training dataset (of all ranks) */
  readonly trainSamples: number;
  /** run folder; nodes may write below it only */
  readonly out: string;
}

export interface Ranks {
  readonly size: number;
  readonly rank: number;
  /** machines that the ranks are spread over evenly; default 1 */
  readonly machines?: number;
  allReduce(x: Tensor, op: 'sum' | 'max' | 'mean'): Promise<Tensor>;
  /** numbers of host memory, where no tensor is needed; what was given stays as it is. So it is with the next two. */
  allReduce<N extends Float32Array | Int32Array>(x: N, op: 'sum' | 'max' | 'mean'): Promise<N>;
  /** values of all ranks, in rank order, along axis 0 */
  allGather(x: Tensor): Promise<Tensor>;
  allGather<N extends Float32Array | Int32Array>(x: N): Promise<N>;
  broadcast(x: Tensor, from?: number): Promise<Tensor>;
  broadcast<N extends Float32Array | Int32Array>(x: N, from?: number): Promise<N>;
  barrier(): Promise<void>;
}

/** State that outlives a step; kept in checkpoints under the node's name. Ask for it in `create` only. */
export interface StateStore {
  tensor(
    name: string,
    shape: readonly number[],
    dtype: DType,
    init: (random: Random) => Float32Array | Int32Array | number,
  ): Variable;
  number(name: string, init: number): { value: number };
  /** values in host memory whose number grows, such as the scores of a phase */
  array(name: string, kept: KeptArray): void;
}

export interface KeptArray {
  /** called when a checkpoint is written */
  save(): Float32Array | Int32Array;
  /** called in `create`, and after `reset` of a phase that is gone on with */
  load(values: Float32Array | Int32Array): void;
}

interface Common {
  readonly name: string;
  readonly random: Random;
  readonly run: RunFacts;
  readonly signal: AbortSignal;
  notice(level: 'info' | 'warning', message: string, cure?: string): void;
}

export interface ComputeContext<P> extends Common {
  readonly params: P;
  readonly symbols: Readonly<Record<string, number>>;
  readonly inputs: Readonly<Record<string, readonly PortValue[]>>;
  /** what the inputs are connected to, "trunk.res5avg", in the first phase that has them; for RunView.pass and output */
  readonly refs: Readonly<Record<string, readonly string[]>>;
  readonly tf: TensorApi;
  readonly ops: FusedOps;
  readonly ranks: Ranks;
  readonly state: StateStore;
  /** an inline node: a schedule from {"schedule": "cosine", …} or a number */
  schedule(value: number | NestedNode): (where: number) => number;
}

/** Values on ports while a batch runs: a tensor, a list of tensors, or (once) anything a node hands on. */
export type Value = Tensor | readonly Tensor[] | unknown;
export type Values = Readonly<Record<string, any>>;

/** A running node. A plain function is a node without observers. */
export interface NodeInstance {
  run(inputs: Values, step: StepFacts): Values | Promise<Values>;
  /** own observers; they run before the document's hooks, in the order of the nodes */
  readonly hooks?: HookHandlers;
}

export interface StepFacts {
  readonly phase: string;
  readonly training: boolean;
  readonly iteration: number;
  readonly epoch: number;
}

export interface OptimizedParameter {
  /** "<node>.<state-dict name>" */
  readonly name: string;
  readonly node: string;
  readonly layer: 'conv2d' | 'linear' | 'batch_norm' | 'layer_norm_2d' | 'layer_norm' | 'other';
  readonly kind: 'weight' | 'bias' | 'other';
  /** belongs to a head: its own lr and weight decay may apply */
  readonly head: boolean;
  readonly variable: Variable;
}

export interface Optimizer {
  /** one update; `where` in [0, 1) is the share of training done; assigns the variables; null gradients leave theirs */
  step(gradients: readonly (Tensor | null)[], where: number): void;
  /** learning rates in use at `where`, distinct groups in order */
  lr(where: number): readonly number[];
  /** weight decays that follow a schedule, at `where`, distinct groups in order; absent: they are constant */
  weightDecay?(where: number): readonly number[];
  /**
   * Positions of the parameters that each rank updates and keeps the state of; after the step the others get the new
   * values from it. Absent: every rank updates all.
   */
  readonly shares?: readonly (readonly number[])[];
}

export interface OptimizerContext<P> extends ComputeContext<P> {
  readonly parameters: readonly OptimizedParameter[];
  /** an optimizer written inline, {"optimizer": "sgd", …}, of these parameters; its state is this node's */
  nested(node: NestedNode, parameters: readonly OptimizedParameter[]): Optimizer;
}

/** The stages of a batch, for a step to put in order. */
export interface BatchStages {
  readonly training: boolean;
  /** mean over the ranks, known after `loss` in a phase with one: every rank has the same */
  readonly lossValue: number | undefined;
  /** models and computations */
  forward(): Promise<void>;
  /** targets, losses, meters */
  loss(): Promise<void>;
  /** gradients of the loss; outputs that no hook names are freed */
  backward(): Promise<void>;
  /** the optimizers' step */
  update(): Promise<void>;
  /** tell observers and hooks, with recording off */
  event(type: 'forward' | 'loss_and_meter' | 'backward' | 'update' | 'step'): Promise<void>;
}

/**
 * What happens with a batch, in training and in other phases. Work of its own on tensors belongs between the stages that
 * it stands between; gradients are seen and changed through the parameters of `run`, between backward and update.
 */
export type BatchStep = (batch: BatchStages, run: RunView) => Promise<void>;

/** Collects over a phase: feature banks (once) and meters (phase). */
export interface Fold {
  /** a new phase begins */
  reset(): void;
  add(inputs: Values, step: StepFacts): void | Promise<void>;
  finish(): Values | Promise<Values>;
}

/** Randomness of one sample: depends on seed, epoch, sample, view and node only. */
export interface SampleContext<P> {
  readonly name: string;
  readonly params: P;
  readonly pixels: Pixels;
  /** values of rate once on its inputs, by port; empty where samples are made without a run */
  readonly once: Readonly<Record<string, unknown>>;
  /** a transform written inline: {"transform": "solarize", …} */
  nested(node: NestedNode): Transform;
}

export interface DatasetContext<P> {
  readonly name: string;
  readonly params: P;
  readonly seed: number;
  readonly signal: AbortSignal;
  notice(level: 'info' | 'warning', message: string, cure?: string): void;
  /** a dataset written inline: {"dataset": "disk_folder", …} */
  nested(node: NestedNode): NestedDataset;
}

/** A dataset in the params of another. */
export interface NestedDataset {
  scan(): Promise<DatasetIndex>;
  open(index: DatasetIndex): Promise<Dataset>;
}

/** Applied to each view on its own, or to the whole sample. */
export type Transform =
  | { view(view: View, random: Random, position: number): View | View[] }
  | { sample(sample: Sample, random: Random): void };

type P<S extends TSchema> = Static<S>;

interface DatasetRole<S extends TObject> extends DatasetStatics<S> {
  /** walks the folder or opens the file once, in the rank; the result goes to the workers */
  readonly scan: (context: DatasetContext<P<S>>) => Promise<DatasetIndex> | DatasetIndex;
  /** in each worker */
  readonly open: (context: DatasetContext<P<S>>, index: DatasetIndex) => Promise<Dataset> | Dataset;
}

export interface DatasetIndex {
  readonly length: number;
  /** classes by name, when labels are class indices */
  readonly classes?: readonly string[];
  /** structured-cloneable; large parts in SharedArrayBuffers */
  readonly data: unknown;
}

interface TransformRole<S extends TObject> extends TransformStatics<S> {
  readonly create: (context: SampleContext<P<S>>) => Transform;
}

interface CollatorRole<S extends TObject> extends CollatorStatics<S> {
  readonly create: (params: P<S>) => Collator;
}

interface ComputeRole<S extends TObject> {
  readonly role: 'compute' | 'target' | 'loss';
  readonly create: (
    context: ComputeContext<P<S>>,
  ) => NodeInstance | ((inputs: Values, step: StepFacts) => Values | Promise<Values>);
}

interface OptimizerRole<S extends TObject> {
  readonly role: 'optimizer';
  readonly create: (context: OptimizerContext<P<S>>) => Optimizer;
}

interface FoldRole<S extends TObject> {
  readonly role: 'bank' | 'meter';
  readonly create: (context: ComputeContext<P<S>>) => Fold;
}

interface OnceRole<S extends TObject> {
  readonly role: 'evaluator' | 'artifact';
  readonly create: (context: ComputeContext<P<S>>) => (inputs: Values) => Values | Promise<Values>;
}

interface HookRole<S extends TObject> {
  readonly role: 'hook';
  readonly create: (context: {
    readonly name: string;
    readonly params: P<S>;
    readonly tf: TensorApi;
    readonly ops: FusedOps;
  }) => HookHandlers;
}

interface StepRole<S extends TObject> {
  readonly role: 'step';
  readonly create: (context: {
    readonly name: string;
    readonly params: P<S>;
    readonly tf: TensorApi;
    readonly ops: FusedOps;
  }) => BatchStep;
}

interface ScheduleRole<S extends TObject> {
  readonly role: 'schedule';
  /** value by share of training done, where in [0, 1]; `nested` makes an inner schedule */
  readonly create: (context: {
    readonly params: P<S>;
    readonly epochs: number;
    nested(value: number | NestedNode): (where: number) => number;
  }) => (where: number) => number;
  /** when the value is read: each step, or once per epoch (`where` of the epoch's begin); asked of the outermost only */
  readonly interval: (params: P<S>) => 'step' | 'epoch';
}

export type NodeDefinition<S extends TObject = TObject> = Declared<S> &
  (
    | DatasetRole<S>
    | TransformRole<S>
    | CollatorRole<S>
    | ModelStatics<S>
    | ComputeRole<S>
    | OptimizerRole<S>
    | FoldRole<S>
    | OnceRole<S>
    | HookRole<S>
    | StepRole<S>
    | ScheduleRole<S>
  );

/** A node type whose params are not known statically. */
export type NodeType = NodeDefinition<any>;

/** Declare a node type. @example export default defineNode({ type: 'loss/mine', role: 'loss', params: T.Object({}), … }) */
export const defineNode = <S extends TObject>(definition: NodeDefinition<S>): NodeDefinition<S> =>
  definition.role === 'model' ? withModelKeys(definition) : definition;
