/**
 * One batch. The order of events is VISSL's: forward → loss_and_meter → (training) backward → update → step. The
 * counters of iterations and batches go up in `forward`, after the hooks of nodes and before the document's own, where
 * VISSL's list of hooks has it.
 */
import type { HookEvent } from '../events.ts';
import type { BatchStages, BatchStep, Ranks, StepFacts, Value } from '../node.ts';
import type { DeviceStreams, StreamMark, Tape, Tensor, TensorBackend, Variable } from '../tensor/types.ts';
import type { Autocast } from './autocast.ts';
import { averageOverRanks } from './average.ts';
import type { HostBatch } from './batches.ts';
import { refOf } from './edges.ts';
import { COPY, MAIN } from './lanes.ts';
import type { LossScale } from './loss-scale.ts';
import { BEGIN, nodeOf, type PlannedNode, type PlannedStep, refsRead } from './planned-steps.ts';
import type { BatchProgram } from './program.ts';
import { runNode } from './run-node.ts';
import type { RunningGraph } from './running.ts';
import { shareUpdates } from './sharded.ts';
import type { Stop } from './stop.ts';
import { createEdgeValues, type EdgeValues, tensorsOf, upload } from './values.ts';

export interface NodeTiming {
  readonly node: string;
  readonly stream: string;
  readonly stage: 'forward' | 'backward' | 'load';
  readonly start: number;
  readonly end: number;
}

/** What a batch needs of the run. */
export interface BatchHost {
  readonly backend: TensorBackend;
  readonly running: RunningGraph;
  readonly ranks: Ranks;
  readonly streams: DeviceStreams;
  readonly once: ReadonlyMap<string, Value>;
  readonly stop: Stop;
  readonly autocast: Autocast;
  /** in a run that trains in float16 */
  readonly lossScale?: LossScale;
  /** ms since the run began */
  now(): number;
  timing(timing: NodeTiming): void;
}

export const standardStep: BatchStep = async (batch) => {
  await batch.forward();
  await batch.event('forward');
  await batch.loss();
  await batch.event('loss_and_meter');
  if (batch.training) {
    await batch.backward();
    await batch.event('backward');
    await batch.update();
    await batch.event('update');
  }
  await batch.event('step');
};

/** Facts of a batch's events that its step knows. */
type StepKnown = Pick<HookEvent, 'loss' | 'lr' | 'weightDecay' | 'lossScale' | 'images'>;

export interface StepRequest {
  readonly program: BatchProgram;
  readonly batch: HostBatch;
  readonly facts: StepFacts;
  /** batches of this phase before this one */
  readonly position: number;
  /** share of training done before this step, [0, 1) */
  readonly where: number;
  readonly step: (batch: BatchStages) => Promise<void>;
  /** facts of the event that the step knows */
  dispatch(type: HookEvent['type'], known: StepKnown): Promise<void>;
  /** while the step runs, what hooks may see and change */
  expose(view: StepView | undefined): void;
}

export interface StepView {
  output(ref: string): Value | undefined;
  gradient(variable: Variable): Tensor | null;
  setGradient(variable: Variable, value: Tensor | null): void;
}

/** Run one batch. Everything that is made and not kept is freed at its end, also after an error. Returns the loss. */
export async function runStep(host: BatchHost, request: StepRequest): Promise<number | undefined> {
  return host.backend.scopeAsync(async () => {
    const run = new BatchRun(host, request);
    try {
      request.expose(run);
      await request.step(run);
      return run.known.loss;
    } finally {
      request.expose(undefined);
      run.close();
    }
  });
}

class BatchRun implements BatchStages, StepView {
  readonly training: boolean;
  known: StepKnown;
  readonly #host: BatchHost;
  readonly #request: StepRequest;
  readonly #values: EdgeValues;
  readonly #tape: Tape | undefined;
  readonly #marks = new Map<string, StreamMark>();
  #position = 0;
  #loss: Tensor | undefined;
  #gradients = new Map<Variable, Tensor | null>();
  /** gradients were not finite: there are none, and there is no update */
  #leftOut = false;

  constructor(host: BatchHost, request: StepRequest) {
    const { program, batch } = request;
    this.#host = host;
    this.#request = request;
    this.training = program.training;
    this.known = { images: batch.images * host.ranks.size };
    this.#values = createEdgeValues(host.backend, host.once);
    const start = host.now();
    this.#mark(MAIN, BEGIN);
    host.streams.run(COPY, () => upload(host.backend, program.source, batch, program.copies, this.#values));
    batch.release();
    this.#mark(COPY, program.source);
    host.timing({ node: program.source, stream: COPY, stage: 'load', start, end: host.now() });
    host.running.moment(request.facts.phase, request.facts.epoch, request.position);
    if (program.training) this.#tape = host.backend.openTape();
  }

  async forward(): Promise<void> {
    await this.#runUntil('forward');
  }

  async loss(): Promise<void> {
    await this.#runUntil('loss_and_meter');
    const { losses } = this.#request.program;
    if (losses.length === 0) return;
    const { streams, backend } = this.#host;
    this.#loss = streams.run(MAIN, () =>
      losses.map((ref) => this.#scalar(refOf(ref))).reduce((a, b) => backend.tf.add(a, b)),
    );
    this.known = { ...this.known, loss: await this.#aside(() => this.#meanLoss(this.#loss!)) };
  }

  /** Over the ranks, for reports; with it goes whether one of them was asked to stop. */
  async #meanLoss(loss: Tensor): Promise<number> {
    const { ranks, stop, backend } = this.#host;
    if (ranks.size === 1) return (await loss.data())[0];
    const { tf } = backend;
    const own = tf.stack([loss, tf.scalar(stop.reason === undefined ? 0 : 1)]);
    const reduced = await ranks.allReduce(own, 'mean');
    const [mean, asked] = await reduced.data();
    if (asked > 0) stop.agree();
    return mean;
  }

  async backward(): Promise<void> {
    const { program } = this.#request;
    const { backend, running, ranks, streams, autocast, lossScale, now, timing } = this.#host;
    const parameters = program.optimizers.flatMap(({ node }) => running.optimizers.get(node.name)!.parameters);
    const variables = parameters.map(({ variable }) => variable);
    const start = now();
    const averaging = ranks.size > 1 ? averageOverRanks({ backend, ranks, streams }) : undefined;
    const order: number[] = [];
    const ready = (gradient: Tensor, index: number): void => {
      order.push(index);
      averaging!.add(gradient);
    };
    const gradients = streams.run(MAIN, () => {
      const loss = lossScale ? lossScale.scaled(this.#loss!) : this.#loss!;
      return autocast.backward(() => this.#tape!.backward(loss, variables, averaging && ready));
    });
    timing({ node: program.losses.map(refOf).join(' + '), stream: MAIN, stage: 'backward', start, end: now() });
    this.#values.free(this.#values.refs().filter((ref) => !program.kept.has(ref)));
    for (const [i, variable] of variables.entries()) this.#gradients.set(variable, gradients[i]);
    if (averaging) {
      const means = averaging.means(); // all are on their way now
      for (const index of order) {
        gradients[index]!.dispose();
        this.#gradients.set(variables[index], null);
      }
      for (const [i, mean] of (await means).entries()) this.#gradients.set(variables[order[i]], mean);
    }
    if (autocast.gradients) streams.run(MAIN, () => autocast.gradients!(this.#gradients));
    if (lossScale) this.#leftOut = !(await streams.run(MAIN, () => lossScale.unscale(this.#gradients)));
  }

  async update(): Promise<void> {
    const { where, program } = this.#request;
    const { backend, running, ranks, streams, lossScale } = this.#host;
    const lr: number[] = [];
    const weightDecay: number[] = [];
    for (const { node } of program.optimizers) {
      const one = running.optimizers.get(node.name)!;
      const { optimizer, parameters } = one;
      if (!this.#leftOut) {
        const gradients = parameters.map(({ variable }) => this.#gradients.get(variable) ?? null);
        streams.run(MAIN, () => backend.scope(() => optimizer.step(gradients, where)));
        if (ranks.size > 1) await shareUpdates(this.#host, one);
      }
      lr.push(...optimizer.lr(where));
      weightDecay.push(...(optimizer.weightDecay?.(where) ?? []));
    }
    this.known = { ...this.known, lr, ...(weightDecay.length > 0 ? { weightDecay } : {}) };
    if (!lossScale) return;
    this.known = { ...this.known, lossScale: lossScale.value };
    lossScale.update(this.#leftOut);
  }

  async event(type: HookEvent['type']): Promise<void> {
    await this.#aside(() => this.#request.dispatch(type, this.known));
    this.#mark(MAIN, `event ${type}`); // again: what hooks have changed counts, too
    if (type === 'update') {
      for (const gradient of this.#gradients.values()) gradient?.dispose();
      this.#gradients.clear();
    }
  }

  get lossValue(): number | undefined {
    return this.known.loss;
  }

  output(ref: string): Value | undefined {
    return this.#host.autocast.exact(this.#values.peek(ref));
  }

  gradient(variable: Variable): Tensor | null {
    return this.#gradients.get(variable) ?? null;
  }

  setGradient(variable: Variable, value: Tensor | null): void {
    if (!this.#gradients.has(variable)) throw new Error('there are gradients between backward and update only');
    const before = this.#gradients.get(variable);
    if (before === value) return;
    before?.dispose();
    // the hook's own scope ends before the update
    this.#gradients.set(variable, value === null ? null : this.#host.backend.tf.keep(value.clone()));
  }

  close(): void {
    this.#tape?.close();
    for (const gradient of this.#gradients.values()) gradient?.dispose();
  }

  /** Run f with recording off. */
  #aside<T>(f: () => T): T {
    return this.#tape ? this.#tape.pause(f) : f();
  }

  #scalar(ref: string): Tensor {
    const [tensor] = tensorsOf(this.#values.get(ref));
    if (tensor?.size !== 1) throw new Error(`the loss ${ref} is no single number`);
    return tensor.rank === 0 ? tensor : this.#host.backend.tf.reshape(tensor, []);
  }

  async #runUntil(event: string): Promise<void> {
    const { steps } = this.#request.program;
    for (; this.#position < steps.length; this.#position++) {
      const step = steps[this.#position];
      if (step.kind === 'node') await this.#runNode(step);
      this.#finish(step);
      if (step.kind === 'event' && step.event === event) {
        this.#position++;
        return;
      }
    }
  }

  async #runNode(step: PlannedNode): Promise<void> {
    const { streams, now, timing } = this.#host;
    for (const name of step.waits) this.#await(step.stream, name);
    this.#share(step);
    const start = now();
    const run = () => runNode(this.#host, step, this.#values, this.#request.facts);
    // a recorded node works on the tape; of all others nothing is recorded
    await streams.run(step.stream, () => (step.gradient ? run() : this.#aside(run)));
    const { name } = step.node;
    timing({ node: name, stream: step.stream, stage: 'forward', start, end: now() });
  }

  /** An event is reached when the streams before it are; what its hooks do is on main. */
  #finish(step: PlannedStep): void {
    if (step.kind === 'event') {
      for (const name of step.waits) this.#await(MAIN, name);
      this.#mark(MAIN, `event ${step.event}`);
    } else {
      this.#mark(step.stream, step.node.name);
    }
    this.#values.free(step.frees);
  }

  #mark(stream: string, name: string): void {
    if (this.#request.program.marks.has(name)) this.#marks.set(name, this.#host.streams.record(stream, name));
  }

  /** What a node reads of other streams. */
  #share(step: PlannedNode): void {
    const { streamOf } = this.#request.program;
    const others = refsRead(step).filter((ref) => (streamOf.get(nodeOf(ref)) ?? step.stream) !== step.stream);
    const tensors = others.flatMap((ref) => tensorsOf(this.#values.get(ref)));
    if (tensors.length > 0) this.#host.streams.share(step.stream, tensors);
  }

  #await(stream: string, name: string): void {
    this.#host.streams.wait(stream, this.#marks.get(name)!);
  }
}
