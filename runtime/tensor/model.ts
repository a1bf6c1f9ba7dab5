/** A described model made ready to run: its parameters as variables, and its forward pass. */
import * as tf from '@tensorflow/tfjs-core';
import type { ModelSpec, OutputSpec } from '../../graph/model/layers.ts';
import type { Random } from '../random.ts';
import { keptBy } from './model/kept.ts';
import { type InitialValue, join, modelParameters } from './model/parameters.ts';
import { split } from './model/split.ts';
import { fuse, type Parts, type Pass, runSteps, type Step, stepsOf } from './model/steps.ts';
import { recomputed } from './recompute.ts';
import { scope } from './scope.ts';
import type { BatchNormGroup, Tensor, TensorBackend, Variable } from './types.ts';

export interface ModelVariable extends Omit<InitialValue, 'values'> {
  readonly variable: Variable;
}

export interface ForwardOptions {
  /** batch norm with batch statistics, dropout; ignored (false) for a frozen model */
  readonly training: boolean;
  /** output ports to compute; stages behind the last one they read are not run */
  readonly outputs: readonly string[];
  /** the stream of this step, for dropout */
  readonly random?: Random;
  /** where groups of images run; default: one after another */
  readonly lanes?: GroupLanes;
  /** equal parts of each group's rows, one pass for each of them; default 1 */
  readonly crops?: readonly number[];
}

/** Lanes of work for the groups of one forward pass, which are given in their order. */
export interface GroupLanes {
  /** what the work makes is there for whatever comes after it */
  run(group: number, images: Tensor, work: () => Record<string, Tensor[]>): Record<string, Tensor[]>;
  /** work that moves the running statistics of a layer, which the groups share */
  normalise(group: number, layer: string, work: () => Tensor): Tensor;
}

export interface Model {
  /** Parameters and buffers by state-dict name, in its order; layouts HWIO and [in, out]. */
  readonly variables: ReadonlyMap<string, ModelVariable>;
  /**
   * Images [N, H, W, C] or features [N, D], or groups of them, each of one size. Groups, or the `crops` of each, pass the
   * stages one after another; their results are concatenated along the batch where their other sizes agree, else given as a list.
   * An output that reads several values is a list. @throws for an unknown output, with the known ones
   */
  forward(inputs: Tensor | readonly Tensor[], options: ForwardOptions): Record<string, Tensor | Tensor[]>;
  dispose(): void;
}

export interface ModelOptions {
  /** ranks whose batches batch norm takes for one in training */
  readonly batchNormGroup?: BatchNormGroup;
  /**
   * Parts that the stages are cut into. Of each but the last, which backward begins with, the input alone is kept, and
   * what is inside is computed again. Default 1: everything is kept.
   */
  readonly recomputedParts?: number;
}

/** Make a model with initial values drawn from `random`, one stream per parameter name. */
export function createModel(
  { ops }: Pick<TensorBackend, 'ops'>,
  spec: ModelSpec,
  random: Random,
  { batchNormGroup, recomputedParts = 1 }: ModelOptions = {},
): Model {
  const variables = new Map<string, ModelVariable>();
  for (const [name, { values, ...facts }] of modelParameters(spec)) {
    variables.set(name, { ...facts, variable: initial(values(random.fork(name)), facts) });
  }
  /** read since it was emptied */
  const used = new Set<Variable>();
  const parts: Parts = {
    ops,
    batchNormGroup,
    variable(name) {
      const { variable } = variables.get(name)!;
      used.add(variable);
      return variable;
    },
  };
  const plans = new Map<string, Plan>();

  return {
    variables,
    forward(inputs, { training, outputs, random: stream, lanes: given, crops = [] }) {
      const groups = Array.isArray(inputs) ? (inputs as readonly Tensor[]) : [inputs as Tensor];
      const key = outputs.join();
      let plan = plans.get(key);
      if (!plan) {
        plan = makePlan(spec, outputs, parts, groups[0].shape, recomputedParts);
        plans.set(key, plan);
      }
      const lanes = groups.length > 1 ? given : undefined;
      return scope(() => {
        let passes = 0;
        const onePass = (x: Tensor, group: number, isLast: boolean): Record<string, Tensor[]> => {
          const pass: Pass = {
            training: training && !spec.frozen,
            random: stream?.fork(passes++),
            normalise: lanes && ((layer, work) => lanes.normalise(group, layer, work)),
          };
          const run: Run = (steps, from) => runSteps(steps, from, pass, parts);
          const runAndDrop: Run = (steps, from) => {
            used.clear();
            return recomputed(
              from,
              (given, again) => runSteps(steps, given, { ...pass, again }, parts),
              () => used,
            );
          };
          return runPlan(plan, x, run, (steps) =>
            recomputedParts > 1 && !(isLast && steps === plan.last) ? runAndDrop : run,
          );
        };
        const results = groups.map((x, i) => {
          const work = () => {
            const parts = rowParts(x, crops[i] ?? 1);
            const made = parts.map((part, j) => onePass(part, i, i === groups.length - 1 && j === parts.length - 1));
            if (made.length === 1) return made[0];
            return Object.fromEntries(outputs.map((port) => [port, merge(made.map((one) => one[port]))]));
          };
          return lanes ? lanes.run(i, x, work) : work();
        });
        const known = new Set<Tensor>(groups);
        return Object.fromEntries(
          outputs.map((port) => {
            const values = merge(results.map((r) => r[port]));
            const own = values.map((value) => unshared(value, known));
            return [port, Array.isArray(spec.outputs[port]) || own.length > 1 ? own : own[0]];
          }),
        );
      });
    },
    dispose() {
      for (const { variable } of variables.values()) variable.dispose();
      variables.clear();
    },
  };
}

function initial(values: Float32Array, { shape, kind, trainable }: Omit<InitialValue, 'values'>): Variable {
  const dtype = kind === 'num_batches_tracked' ? 'int32' : 'float32';
  return scope(() => tf.variable(tf.tensor(values, [...shape], dtype), trainable));
}

const listed = (output: OutputSpec | readonly OutputSpec[]): readonly OutputSpec[] =>
  Array.isArray(output) ? output : [output as OutputSpec];

interface Plan {
  /** steps up to a stage that an output reads, in parts, and its name */
  readonly segments: readonly { readonly parts: readonly (readonly Step[])[]; readonly stage: string }[];
  /** the part that backward begins with: there is nothing to gain from computing it again at once */
  readonly last: readonly Step[] | undefined;
  readonly outputs: readonly {
    readonly port: string;
    readonly reads: readonly { stage: string; steps: readonly Step[] }[];
  }[];
}

function makePlan(
  spec: ModelSpec,
  ports: readonly string[],
  parts: Parts,
  input: readonly number[],
  count: number,
): Plan {
  const outputs = ports.map((port) => {
    const output = spec.outputs[port];
    if (!output) throw new Error(`the model has no output '${port}'; it has ${Object.keys(spec.outputs).join(', ')}`);
    const reads = listed(output).map(({ stage, layer }) => ({
      stage,
      steps: layer ? fuse(stepsOf(layer, spec.prefix ?? '', parts)) : [],
    }));
    return { port, reads };
  });
  const wanted = new Set(outputs.flatMap(({ reads }) => reads.map(({ stage }) => stage)));
  const segments: { steps: Step[]; stage: string }[] = [];
  let steps: Step[] = [];
  for (const { name, layer } of spec.stages) {
    steps.push(...stepsOf(layer, join(spec.prefix, name), parts));
    if (!wanted.delete(name)) continue;
    segments.push({ steps: fuse(steps), stage: name });
    steps = [];
  }
  if (wanted.size > 0) throw new Error(`the model has no stage ${[...wanted].map((name) => `'${name}'`).join(', ')}`);
  const lists = segments.map((segment) => segment.steps);
  const kept = count > 1 ? keptBy(lists.flat(), input) : undefined;
  const cut = split(lists, count, (step) => kept?.get(step) ?? 0);
  return {
    segments: segments.map(({ stage }, i) => ({ parts: cut[i], stage })),
    last: cut.flat().findLast(({ length }) => length > 0),
    outputs,
  };
}

type Run = (steps: readonly Step[], x: Tensor) => Tensor;

function runPlan(
  { segments, outputs }: Plan,
  x: Tensor,
  run: Run,
  runOf: (part: readonly Step[]) => Run,
): Record<string, Tensor[]> {
  const reached = new Map<string, Tensor>();
  let current = x;
  for (const { parts, stage } of segments) {
    const begin = current;
    for (const steps of parts) {
      const next = runOf(steps)(steps, current);
      if (current !== begin && current !== next) current.dispose();
      current = next;
    }
    reached.set(stage, current);
  }
  return Object.fromEntries(
    outputs.map(({ port, reads }) => [port, reads.map(({ stage, steps }) => run(steps, reached.get(stage)!))]),
  );
}

function rowParts(x: Tensor, count: number): Tensor[] {
  if (count === 1) return [x];
  if (x.shape[0] % count !== 0) throw new RangeError(`${x.shape[0]} rows are not ${count} crops of a batch`);
  return tf.split(x, count, 0);
}

/** results[group][i] → values of one port */
function merge(results: readonly Tensor[][]): Tensor[] {
  return results[0].flatMap((_, i) => concatenated(results.map((group) => group[i])));
}

/** Every value handed out is a tensor of its own: two ports may read one stage, and a stage may be the input. */
function unshared(value: Tensor, given: Set<Tensor>): Tensor {
  const own = given.has(value) ? tf.clone(value) : value;
  given.add(own);
  return own;
}

function concatenated(groups: Tensor[]): Tensor[] {
  const [first, ...others] = groups;
  if (others.length === 0) return [first];
  const inner = (t: Tensor) => String(t.shape.slice(1));
  return others.every((t) => inner(t) === inner(first)) ? [tf.concat(groups, 0)] : groups;
}
