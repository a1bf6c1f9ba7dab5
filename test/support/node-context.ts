/** Contexts for running a node's own code in a test, on a real tensor backend. */
import { Ajv } from 'ajv';
import type { PortValue } from '../../graph/port.ts';
import type { InlineOptimizers } from '../../runtime/engine/optimizers.ts';
import { singleRank } from '../../runtime/engine/ranks.ts';
import type { Schedules } from '../../runtime/engine/schedules.ts';
import { createState, type EngineState } from '../../runtime/engine/state.ts';
import type { HookHandlers } from '../../runtime/events.ts';
import type {
  ComputeContext,
  NodeInstance,
  NodeType,
  OptimizedParameter,
  OptimizerContext,
  Ranks,
  RunFacts,
} from '../../runtime/node.ts';
import { createRandom } from '../../runtime/random.ts';
import type { Tensor, TensorBackend } from '../../runtime/tensor/types.ts';

/** Params checked against the node's schema, defaults put in. Throws what the schema finds. */
export function paramsOf<P = any>(definition: NodeType, params: Readonly<Record<string, unknown>> = {}): P {
  const ajv = new Ajv({ strict: false, useDefaults: true, allErrors: true });
  const filled = structuredClone(params);
  const known = Object.keys(definition.params.properties);
  const unknown = Object.keys(filled).find((key) => !known.includes(key));
  if (unknown) throw new Error(`${definition.type} has no param "${unknown}"`);
  const validate = ajv.compile(definition.params);
  if (!validate(filled)) throw new Error(`${definition.type}: ${ajv.errorsText(validate.errors)}`);
  return filled as P;
}

/** Ranks of one process that meet in each collective: run their work concurrently with Promise.all. */
export function meetingRanks({ tf }: Pick<TensorBackend, 'tf'>, size: number): readonly Ranks[] {
  const meetings: {
    readonly rank: number;
    readonly x: Tensor;
    readonly resolve: (all: readonly Tensor[]) => void;
  }[][] = [];
  const asked = new Array<number>(size).fill(0);
  // the n-th collective of one rank is the n-th of the others, however many are under way
  const meet = (rank: number, x: Tensor) =>
    new Promise<readonly Tensor[]>((resolve) => {
      const number = asked[rank]++;
      meetings[number] ??= [];
      const come = meetings[number];
      come.push({ rank, x, resolve });
      if (come.length < size) return;
      const all = come.toSorted((a, b) => a.rank - b.rank);
      for (const one of all) one.resolve(all.map((other) => other.x));
    });
  const reduce = {
    sum: (all: readonly Tensor[]) => tf.addN([...all]),
    mean: (all: readonly Tensor[]) => tf.div(tf.addN([...all]), size),
    max: (all: readonly Tensor[]) => all.reduce((a, b) => tf.maximum(a, b)),
  };
  type Numbers = Float32Array | Int32Array;
  const alsoOfNumbers =
    <A extends unknown[]>(work: (x: Tensor, ...more: A) => Promise<Tensor>) =>
    async (x: Tensor | Numbers, ...more: A): Promise<any> => {
      if ('dtype' in x) return work(x, ...more);
      const given = tf.tensor(x.slice() as Numbers, [x.length], x instanceof Float32Array ? 'float32' : 'int32');
      return (await work(given, ...more)).data();
    };
  return Array.from({ length: size }, (_, rank) => ({
    size,
    rank,
    allReduce: alsoOfNumbers(async (x, op: keyof typeof reduce) => reduce[op](await meet(rank, x))),
    allGather: alsoOfNumbers(async (x) => tf.concat([...(await meet(rank, x))], 0)),
    broadcast: alsoOfNumbers(async (x, from = 0) => tf.clone((await meet(rank, x))[from])),
    barrier: async () => void (await meet(rank, tf.scalar(0))),
  }));
}

export interface ContextOptions {
  readonly name?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly symbols?: Readonly<Record<string, number>>;
  readonly inputs?: Readonly<Record<string, readonly PortValue[]>>;
  readonly refs?: Readonly<Record<string, readonly string[]>>;
  readonly run?: Partial<RunFacts>;
  readonly ranks?: Ranks;
  /** default: a state of its own */
  readonly state?: EngineState;
  /** default: numbers only */
  readonly schedules?: Schedules;
  /** default: none */
  readonly inlineOptimizers?: InlineOptimizers;
  readonly onNotice?: (message: string) => void;
}

const NUMBERS_ONLY: Schedules = {
  outermost(value) {
    if (typeof value === 'number') return () => value;
    throw new Error('this test context has no schedules');
  },
};

/** A context for `definition.create`, params validated; the node is named "node". */
export function nodeContext(
  backend: TensorBackend,
  definition: NodeType,
  options: ContextOptions = {},
): ComputeContext<any> {
  const name = options.name ?? 'node';
  const random = createRandom(0, name);
  return {
    name,
    params: paramsOf(definition, options.params),
    symbols: options.symbols ?? {},
    inputs: options.inputs ?? {},
    refs: options.refs ?? {},
    tf: backend.tf,
    ops: backend.ops,
    ranks: options.ranks ?? singleRank,
    state: (options.state ?? createState(backend)).forNode(name, random),
    random,
    run: { seed: 0, epochs: 1, stepsPerEpoch: 1, batchSize: 1, trainSamples: 1, out: '.', ...options.run },
    signal: new AbortController().signal,
    notice: (_level, message) => options.onNotice?.(message),
    schedule: (options.schedules ?? NUMBERS_ONLY).outermost,
  };
}

/** The same for an optimizer of these parameters. */
export function optimizerContext(
  backend: TensorBackend,
  definition: NodeType,
  parameters: readonly OptimizedParameter[],
  options: ContextOptions = {},
): OptimizerContext<any> {
  const context = nodeContext(backend, definition, options);
  const given = (some: readonly OptimizedParameter[]): OptimizerContext<any> => ({
    ...context,
    parameters: some,
    nested(node, others) {
      if (!options.inlineOptimizers) throw new Error('this test context has no inline optimizers');
      return options.inlineOptimizers.create(node, given(others));
    },
  });
  return given(parameters);
}

/** What `create` of a compute, target or loss node gives, as an instance. */
export function createInstance(definition: NodeType, context: ComputeContext<any>): NodeInstance {
  const { role } = definition;
  if (role !== 'compute' && role !== 'target' && role !== 'loss')
    throw new TypeError(`${definition.type} is a ${role}`);
  const made = definition.create(context);
  return typeof made === 'function' ? { run: made } : made;
}

/** Handlers of a hook node. */
export function openHook(
  { tf, ops }: TensorBackend,
  definition: unknown,
  params: Readonly<Record<string, unknown>>,
  name = 'hook',
): HookHandlers {
  const hook = definition as Extract<NodeType, { role: 'hook' }>;
  return hook.create({ name, params: paramsOf(hook, params), tf, ops });
}

/** What the checks would infer for a tensor of these sizes. */
export const tensorValue = (...shape: number[]): PortValue => ({
  rate: 'batch',
  kind: 'tensor',
  dtype: 'float32',
  shapes: [shape.map((size) => [size])],
  list: false,
});
