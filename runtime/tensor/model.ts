/** A described model made ready to run: its parameters as variables, and its forward pass. */
import * as tf from '@tensorflow/tfjs-core';
import type { ModelSpec, OutputSpec } from '../../graph/model/layers.ts';
import type { Random } from '../random.ts';
import { type InitialValue, join, modelParameters } from './model/parameters.ts';
import { fuse, type Parts, type Pass, runSteps, type Step, stepsOf } from './model/steps.ts';
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
}

export interface Model {
  /** Parameters and buffers by state-dict name, in its order; layouts HWIO and [in, out]. */
  readonly variables: ReadonlyMap<string, ModelVariable>;
  /**
   * Images [N, H, W, C] or features [N, D], or groups of them, each of one size. Groups pass the stages one after
   * another; their results are concatenated along the batch where their other sizes agree, else given as a list.
   * An output that reads several values is a list. @throws for an unknown output, with the known ones
   */
  forward(inputs: Tensor | readonly Tensor[], options: ForwardOptions): Record<string, Tensor | Tensor[]>;
  dispose(): void;
}

/**
 * Make a model with initial values drawn from `random`, one stream per parameter name.
 * @param batchNormGroup ranks whose batches batch norm takes for one in training
 */
export function createModel(
  { ops }: Pick<TensorBackend, 'ops'>,
  spec: ModelSpec,
  random: Random,
  batchNormGroup?: BatchNormGroup,
): Model {
  const variables = new Map<string, ModelVariable>();
  for (const [name, { values, ...facts }] of modelParameters(spec)) {
    variables.set(name, { ...facts, variable: initial(values(random.fork(name)), facts) });
  }
  const parts: Parts = { ops, batchNormGroup, variable: (name) => variables.get(name)!.variable };
  const plans = new Map<string, Plan>();

  return {
    variables,
    forward(inputs, { training, outputs, random: stream }) {
      const key = outputs.join();
      let plan = plans.get(key);
      if (!plan) {
        plan = makePlan(spec, outputs, parts);
        plans.set(key, plan);
      }
      const groups = Array.isArray(inputs) ? (inputs as readonly Tensor[]) : [inputs as Tensor];
      return scope(() => {
        const results = groups.map((x, i) => {
          const pass: Pass = { training: training && !spec.frozen, random: stream?.fork(i) };
          return runPlan(plan, x, pass, parts);
        });
        const given = new Set<Tensor>(groups);
        return Object.fromEntries(
          outputs.map((port) => {
            const values = merge(results.map((r) => r[port]));
            const own = values.map((value) => unshared(value, given));
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
  /** steps up to a stage that an output reads, and its name */
  readonly segments: readonly { readonly steps: readonly Step[]; readonly stage: string }[];
  readonly outputs: readonly {
    readonly port: string;
    readonly reads: readonly { stage: string; steps: readonly Step[] }[];
  }[];
}

function makePlan(spec: ModelSpec, ports: readonly string[], parts: Parts): Plan {
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
  return { segments, outputs };
}

function runPlan({ segments, outputs }: Plan, x: Tensor, pass: Pass, parts: Parts): Record<string, Tensor[]> {
  const reached = new Map<string, Tensor>();
  let current = x;
  for (const { steps, stage } of segments) {
    current = runSteps(steps, current, pass, parts);
    reached.set(stage, current);
  }
  return Object.fromEntries(
    outputs.map(({ port, reads }) => [
      port,
      reads.map(({ stage, steps }) => runSteps(steps, reached.get(stage)!, pass, parts)),
    ]),
  );
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
