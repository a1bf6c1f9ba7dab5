/** The nodes of a plan, created: what each does when its turn comes. */
import type { PortValue } from '../../graph/port.ts';
import type {
  ComputeContext,
  Fold,
  NestedNode,
  NodeInstance,
  OptimizedParameter,
  Optimizer,
  OptimizerContext,
  Ranks,
  RunFacts,
  Values,
} from '../node.ts';
import type { TensorBackend } from '../tensor/types.ts';
import type { Graph, GraphNode } from './edges.ts';
import type { NamedHook } from './events.ts';
import { createRunningModel, optimizedParameters, owners, type RunningModel } from './models.ts';
import { type Following, followLeader } from './momentum.ts';
import { createNodeRandom, type NodeRandom } from './node-random.ts';
import type { InlineOptimizers } from './optimizers.ts';
import type { Plan } from './plan.ts';
import { batchNormGroup, type RunRanks } from './ranks.ts';
import type { Schedules } from './schedules.ts';
import type { EngineState } from './state.ts';
import { ownerOf } from './training.ts';
import { usedNodes } from './used-nodes.ts';

type OnceFunction = (inputs: Values) => Values | Promise<Values>;

export interface RunningOptimizer {
  readonly optimizer: Optimizer;
  readonly parameters: readonly OptimizedParameter[];
}

export interface RunningGraph {
  readonly models: ReadonlyMap<string, RunningModel>;
  /** compute, target and loss nodes */
  readonly instances: ReadonlyMap<string, NodeInstance>;
  readonly folds: ReadonlyMap<string, Fold>;
  readonly onceFunctions: ReadonlyMap<string, OnceFunction>;
  readonly optimizers: ReadonlyMap<string, RunningOptimizer>;
  readonly randoms: ReadonlyMap<string, NodeRandom>;
  /** from now on every node draws from its stream of this moment */
  moment(...path: (string | number)[]): void;
  /** models that follow others */
  readonly following: readonly Following[];
  readonly ranks: Ranks;
  readonly seed: number;
  /** hooks of node instances and hooks brought by nodes, in order */
  readonly ownHooks: readonly NamedHook[];
  /** the document's own, in order */
  readonly listedHooks: readonly NamedHook[];
  dispose(): void;
}

export interface CreateOptions {
  readonly backend: TensorBackend;
  readonly ranks: RunRanks;
  readonly facts: RunFacts;
  readonly schedules: Schedules;
  readonly inlineOptimizers: InlineOptimizers;
  readonly state: EngineState;
  readonly signal: AbortSignal;
  notice(from: string, level: 'info' | 'warning', message: string, cure?: string): void;
}

/** Create every node that runs, in topological order. @throws Error that names the node */
export async function createRunning(plan: Plan, options: CreateOptions): Promise<RunningGraph> {
  const { graph } = plan;
  const { backend, state, ranks, facts, schedules, signal } = options;
  const { tf, ops } = backend;
  const group = batchNormGroup(graph.run.sync_batch_norm, ranks);
  const models = new Map<string, RunningModel>();
  const instances = new Map<string, NodeInstance>();
  const folds = new Map<string, Fold>();
  const onceFunctions = new Map<string, OnceFunction>();
  const optimizers = new Map<string, RunningOptimizer>();
  const randoms = new Map<string, NodeRandom>();
  const trainedFor = new Map(plan.phases.flatMap(({ optimizers }) => optimizers.map((o) => [o.node.name, o.models])));

  const create = async (node: GraphNode): Promise<void> => {
    const { name, declaration } = node;
    const random = createNodeRandom(graph.run.seed, name);
    randoms.set(name, random);
    if (declaration.role === 'model') {
      const owner = ownerOf(node) === name ? undefined : models.get(ownerOf(node))!;
      models.set(name, await createRunningModel(node, backend, graph.run.seed, owner, group));
      return;
    }
    const context: ComputeContext<any> = {
      name,
      params: node.params,
      random,
      run: facts,
      signal,
      notice: (level, message, cure) => options.notice(name, level, message, cure),
      symbols: firstOf(graph, node.symbols) ?? {},
      inputs: firstOf<Readonly<Record<string, readonly PortValue[]>>>(graph, node.inputValues) ?? {},
      refs: refsOf(node),
      tf,
      ops,
      ranks,
      state: state.forNode(name, random),
      schedule: (value: number | NestedNode) => schedules.outermost(value),
    };
    if (declaration.role === 'compute' || declaration.role === 'target' || declaration.role === 'loss') {
      const made = declaration.create(context);
      instances.set(name, typeof made === 'function' ? { run: made } : made);
    } else if (declaration.role === 'bank' || declaration.role === 'meter') {
      folds.set(name, declaration.create(context));
    } else if (declaration.role === 'evaluator' || declaration.role === 'artifact') {
      onceFunctions.set(name, declaration.create(context));
    } else if (declaration.role === 'optimizer') {
      const parameters = optimizedParameters((trainedFor.get(name) ?? []).map((model) => models.get(model)!));
      if (parameters.length === 0)
        throw new Error('it has no parameter to train: no trainable model is before its loss');
      const given = (parameters: readonly OptimizedParameter[]): OptimizerContext<any> => ({
        ...context,
        parameters,
        nested: (inner, some) => options.inlineOptimizers.create(inner, given(some)),
      });
      optimizers.set(name, { optimizer: declaration.create(given(parameters)), parameters });
    }
  };
  for (const node of ownersFirst(usedNodes(plan))) {
    try {
      await create(node);
    } catch (error) {
      throw new Error(
        `node ${node.name} (${node.declaration.type}) could not be created: ${(error as Error).message}`,
        {
          cause: error,
        },
      );
    }
  }

  const following = owners(models).flatMap((follower): Following[] => {
    const { follows } = follower;
    if (!follows) return [];
    const { node, statistics } = follows;
    return [{ follower, leader: models.get(node)!, statistics, momentum: schedules.outermost(follows.momentum) }];
  });
  const followHooks = new Map(following.map((one) => [one.follower.node.name, followLeader(backend, one)]));
  const own: NamedHook[] = graph.nodes.flatMap(({ name }) => {
    const handlers = instances.get(name)?.hooks ?? followHooks.get(name);
    return handlers ? [{ name, handlers }] : [];
  });
  const listed: NamedHook[] = [];
  for (const { name, declaration, params, from } of graph.hooks) {
    if (declaration.role !== 'hook') throw new TypeError(`${name} (${declaration.type}) is not a hook`);
    const handlers = declaration.create({ name, params, tf, ops });
    (from === undefined ? listed : own).push({ name, handlers });
  }
  return {
    models,
    instances,
    folds,
    onceFunctions,
    optimizers,
    randoms,
    moment(...path) {
      for (const random of randoms.values()) random.moment(...path);
    },
    following,
    ranks,
    seed: graph.run.seed,
    ownHooks: own,
    listedHooks: listed,
    dispose() {
      for (const { model } of owners(models)) model.dispose();
    },
  };
}

/** Models that others share parameters with before those others, and before optimizers. */
function ownersFirst(nodes: readonly GraphNode[]): readonly GraphNode[] {
  const own = (node: GraphNode) => node.declaration.role === 'model' && ownerOf(node) === node.name;
  return [...nodes.filter(own), ...nodes.filter((node) => !own(node))];
}

/** What holds in all phases, else in the first phase of the run that has it. */
function firstOf<T>(graph: Graph, byPhase: Readonly<Record<string, T>>): T | undefined {
  return byPhase['*'] ?? graph.run.phases.map((phase) => byPhase[phase]).find(Boolean) ?? Object.values(byPhase)[0];
}

const refsOf = (node: GraphNode): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(
    node.inputs.map(({ port, sources }) => [
      port,
      (Object.values(sources)[0] ?? []).map((ref) => `${ref.node}.${ref.port}`),
    ]),
  );
