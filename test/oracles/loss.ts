/** Loss nodes called on reference inputs, with gradients; ranks meet inside one process. */

import { singleRank } from '../../runtime/engine/ranks.ts';
import { createState, type EngineState, type SavedState } from '../../runtime/engine/state.ts';
import type { NodeInstance, NodeType, Ranks, RunFacts, Values } from '../../runtime/node.ts';
import type { Tensor, TensorBackend, Variable } from '../../runtime/tensor/types.ts';
import { createInstance, meetingRanks, nodeContext, tensorValue } from '../support/node-context.ts';
import { realRanks } from '../support/real-ranks.ts';
import { toTensor } from './layout.ts';
import { floats, type OracleTensor } from './oracle-file.ts';

export interface LossSetup {
  readonly definition: NodeType;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly symbols?: Readonly<Record<string, number>>;
  readonly run?: Partial<RunFacts>;
  readonly saved?: SavedState;
  /** the instance in place of the node's own, where a case feeds recorded draws */
  readonly open?: (context: ReturnType<typeof nodeContext>) => NodeInstance;
}

export interface OpenLoss {
  readonly instance: NodeInstance;
  readonly state: EngineState;
}

export function openLoss(
  backend: TensorBackend,
  setup: LossSetup,
  shapes: Readonly<Record<string, readonly (readonly number[])[]>>,
  ranks: Ranks = singleRank,
): OpenLoss {
  const state = createState(backend, setup.saved);
  const context = nodeContext(backend, setup.definition, {
    params: setup.params,
    symbols: setup.symbols,
    run: setup.run,
    inputs: Object.fromEntries(Object.entries(shapes).map(([port, all]) => [port, all.map((s) => tensorValue(...s))])),
    ranks,
    state,
  });
  return { instance: setup.open?.(context) ?? createInstance(setup.definition, context), state };
}

/** Inputs by port: one reference tensor, or a list. */
export type ReferenceInputs = Readonly<Record<string, OracleTensor | readonly OracleTensor[]>>;

export interface LossResult {
  readonly loss: number;
  /** by "port" or "port.0", in the order of `wanted` */
  readonly gradients: readonly (Tensor | null)[];
}

const step = (iteration: number) => ({ phase: 'train', training: true, iteration, epoch: 0 });

function makeInputs(backend: TensorBackend, inputs: ReferenceInputs, wanted: readonly string[]) {
  const variables = new Map<string, Variable>();
  const make = (tensor: OracleTensor, name: string): Tensor => {
    const plain = toTensor(backend, tensor);
    if (!wanted.includes(name)) return plain;
    const variable = backend.tf.variable(plain);
    variables.set(name, variable);
    return variable;
  };
  const values = Object.fromEntries(
    Object.entries(inputs).map(([port, value]) => [
      port,
      Array.isArray(value) ? value.map((tensor, i) => make(tensor, `${port}.${i}`)) : make(value as OracleTensor, port),
    ]),
  );
  return { values, variables: wanted.map((name) => variables.get(name)!) };
}

export const shapesOf = (inputs: ReferenceInputs) =>
  Object.fromEntries(
    Object.entries(inputs).map(([port, value]) => [port, ([value].flat() as OracleTensor[]).map(({ shape }) => shape)]),
  );

export const openFor = (backend: TensorBackend, setup: LossSetup, inputs: ReferenceInputs, ranks?: Ranks): OpenLoss =>
  openLoss(backend, setup, shapesOf(inputs), ranks);

/** One call on a tape. Call inside a scope. */
export async function callLoss(
  backend: TensorBackend,
  instance: NodeInstance,
  inputs: ReferenceInputs,
  wanted: readonly string[],
  iteration = 0,
): Promise<LossResult> {
  const tape = backend.openTape();
  try {
    const { values, variables } = makeInputs(backend, inputs, wanted);
    const { loss } = (await instance.run(values, step(iteration))) as Values;
    const gradients = tape.backward(loss, variables);
    return { loss: (await loss.data())[0], gradients };
  } finally {
    tape.close();
  }
}

/** The same where the ranks are processes: each does its own part, and all learn what the rank in question has. */
async function callRealRanks(
  backend: TensorBackend,
  ranks: Ranks,
  open: (ranks: Ranks, rank: number) => NodeInstance,
  inputs: readonly ReferenceInputs[],
  wanted: readonly string[],
  differentiated: number,
): Promise<LossResult> {
  const own = await callLoss(backend, open(ranks, ranks.rank), inputs[ranks.rank], wanted);
  const gradients: (Tensor | null)[] = [];
  for (const gradient of own.gradients) gradients.push(gradient && (await ranks.broadcast(gradient, differentiated)));
  const loss = await ranks.broadcast(backend.tf.scalar(own.loss), differentiated);
  return { loss: (await loss.data())[0], gradients };
}

/** Every rank's loss, and the gradient of rank `differentiated`'s loss with respect to its own inputs. */
export async function callRanks(
  backend: TensorBackend,
  open: (ranks: Ranks, rank: number) => NodeInstance,
  inputs: readonly ReferenceInputs[],
  wanted: readonly string[],
  differentiated: number,
): Promise<LossResult> {
  const real = realRanks(inputs.length);
  if (real) return callRealRanks(backend, real, open, inputs, wanted, differentiated);
  const tape = backend.openTape();
  try {
    const results = await Promise.all(
      meetingRanks(backend, inputs.length).map(async (ranks, rank) => {
        const { values, variables } = makeInputs(backend, inputs[rank], wanted);
        const { loss } = (await open(ranks, rank).run(values, step(0))) as Values;
        return { loss: loss as Tensor, variables };
      }),
    );
    const { loss, variables } = results[differentiated];
    const gradients = tape.backward(loss, variables);
    return { loss: (await loss.data())[0], gradients };
  } finally {
    tape.close();
  }
}

/** State values as a checkpoint would give them back. */
export const saved = (
  tensors: Readonly<Record<string, OracleTensor>>,
  numbers: Readonly<Record<string, number>> = {},
): SavedState => ({
  tensors: new Map(
    Object.entries(tensors).map(([name, tensor]) => [
      `node.${name}`,
      { shape: tensor.shape, values: valuesOf(tensor) },
    ]),
  ),
  numbers: Object.fromEntries(Object.entries(numbers).map(([name, value]) => [`node.${name}`, value])),
  hooks: {},
});

const valuesOf = (tensor: OracleTensor): Float32Array | Int32Array =>
  tensor.dtype.startsWith('int') ? Int32Array.from(tensor.data, Number) : floats(tensor);

export async function stateValues(state: EngineState, name: string): Promise<ArrayLike<number>> {
  const source = state.tensors(() => true).find((one) => one.name === `node.${name}`);
  if (!source) throw new Error(`the node keeps no state ${name}`);
  return (await source.read()) as Float32Array;
}

export interface RankStep extends LossResult {
  /** this rank's */
  readonly state: EngineState;
}

/** One step of stateful losses that meet as ranks (or of one on its own). Call inside a scope. */
export async function rankStep(
  backend: TensorBackend,
  setup: LossSetup,
  calls: readonly ReferenceInputs[],
  wanted: readonly string[],
  rank: number,
): Promise<RankStep> {
  const states: EngineState[] = [];
  const open = (ranks: Ranks, r: number) => {
    const { instance, state } = openFor(backend, setup, calls[r], calls.length === 1 ? singleRank : ranks);
    states[r] = state;
    return instance;
  };
  const result = await callRanks(backend, open, calls, wanted, rank);
  // of ranks in other processes only the own state is here: states that are compared are the same on all
  return { ...result, state: states[rank] ?? states.find(Boolean)! };
}
