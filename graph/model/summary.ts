/** All that a model's description says before any tensor exists: shapes, parameters, buffers, costs. */
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { concatenated, formatShape, mayEqual, sizes } from '../dim.ts';
import type { Shape } from '../port.ts';
import type { ModelSpec, OutputSpec } from './layers.ts';
import { type BufferSummary, join, LayerError, type ParameterSummary, type Tally } from './tally.ts';
import { walk } from './walk.ts';

export type { BufferSummary, ParameterSummary } from './tally.ts';

/** What a model costs for one image of one size (multiply-accumulate = 1; see graph/model/walk.ts). */
export interface Cost {
  /** the group's shape, batch included */
  readonly input: Shape;
  /** absent when a size is not known before the run */
  readonly flops?: number;
  readonly activations?: number;
}

export interface StageSummary {
  readonly name: string;
  /** behind the stage, one per input group */
  readonly shapes: readonly Shape[];
  /** values of its parameters */
  readonly parameters: number;
  /** for one image of the first group */
  readonly flops?: number;
}

export interface ModelSummary {
  /** list: several values (scores by head), or groups of images whose features cannot be concatenated */
  readonly outputs: Readonly<Record<string, { readonly shapes: readonly Shape[]; readonly list: boolean }>>;
  readonly parameters: readonly ParameterSummary[];
  readonly buffers: readonly BufferSummary[];
  /** values of all parameters */
  readonly parameterCount: number;
  readonly trainableCount: number;
  /** one per input group */
  readonly costs: readonly Cost[];
  readonly stages: readonly StageSummary[];
}

/**
 * Summarise a model for groups of images (or features), each of one size, NHWC or [N, D]. Each group passes the stages on
 * its own; results that agree in all but the batch are then concatenated along it, in the order of the groups.
 * Left: what does not fit, in plain words: which layer, which sizes.
 */
export function summarize(spec: ModelSpec, inputs: readonly Shape[]): Either<readonly string[], ModelSummary> {
  const problems: string[] = [];
  const prefix = spec.prefix ?? '';
  const options = { trainable: spec.frozen !== true };
  const first = emptyTally();
  const costs: Cost[] = [];
  const stages: { name: string; shapes: Shape[]; parameters: number; flops?: number }[] = spec.stages.map(
    ({ name }) => ({
      name,
      shapes: [],
      parameters: 0,
    }),
  );
  const groups: Record<string, Shape[]>[] = [];

  for (const [group, input] of inputs.entries()) {
    const tally = group === 0 ? first : emptyTally();
    const reached = new Map<string, Shape>();
    try {
      let shape = input;
      for (const [i, { name, layer }] of spec.stages.entries()) {
        const before = { parameters: countValues(tally.parameters), flops: tally.flops };
        shape = walk(layer, join(prefix, name), shape, tally, options);
        reached.set(name, shape);
        stages[i]!.shapes.push(shape);
        if (group > 0) continue;
        stages[i]!.parameters = countValues(tally.parameters) - before.parameters;
        if (tally.known) stages[i]!.flops = tally.flops - before.flops;
      }
      groups.push(
        Object.fromEntries(
          Object.entries(spec.outputs).map(([port, output]) => [
            port,
            listed(output).map(({ stage, layer }) => {
              const from = reached.get(stage);
              if (!from) throw new MissingStage(port, stage, reached.keys());
              return layer ? walk(layer, prefix, from, tally, options) : from;
            }),
          ]),
        ),
      );
      costs.push(tally.known ? { input, flops: tally.flops, activations: tally.activations } : { input });
    } catch (error) {
      if (!(error instanceof LayerError || error instanceof MissingStage)) throw error;
      const which = inputs.length > 1 ? `for images of ${formatShape(input)}: ` : '';
      problems.push(`${which}${error.message}`);
    }
  }

  const parameters = shared(first.parameters, problems);
  const names = new Set(parameters.map(({ name }) => name));
  for (const [port, wanted] of problems.length > 0 ? [] : Object.entries(spec.weights ?? {})) {
    for (const name of wanted.filter((name) => !names.has(name))) {
      problems.push(`the output ${port} hands out "${name}", which is no parameter of the model`);
    }
  }
  if (problems.length > 0) return left(problems);
  return right({
    outputs: Object.fromEntries(
      Object.entries(spec.outputs).map(([port, output]) => [
        port,
        merged(
          groups.map((group) => group[port]!),
          Array.isArray(output),
        ),
      ]),
    ),
    parameters,
    buffers: [...new Map(first.buffers.map((buffer) => [buffer.name, buffer])).values()],
    parameterCount: countValues(parameters),
    trainableCount: countValues(parameters.filter(({ trainable }) => trainable)),
    costs,
    stages,
  });
}

class MissingStage extends Error {
  constructor(port: string, stage: string, known: Iterable<string>) {
    super(`the output ${port} reads the stage "${stage}", but the stages are ${[...known].join(', ')}`);
  }
}

const emptyTally = (): Tally => ({ parameters: [], buffers: [], flops: 0, activations: 0, known: true });

function listed(output: OutputSpec | readonly OutputSpec[]): readonly OutputSpec[] {
  return Array.isArray(output) ? output : [output as OutputSpec];
}

function countValues(parameters: readonly ParameterSummary[]): number {
  return parameters.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
}

/** A name used twice is one parameter used twice. */
function shared(parameters: readonly ParameterSummary[], problems: string[]): ParameterSummary[] {
  const byName = new Map<string, ParameterSummary>();
  for (const parameter of parameters) {
    const before = byName.get(parameter.name);
    if (before && String(before.shape) !== String(parameter.shape)) {
      problems.push(`two parameters are named "${parameter.name}", of ${before.shape} and of ${parameter.shape}`);
    }
    byName.set(parameter.name, before ?? parameter);
  }
  return [...byName.values()];
}

/** groups[g][i]: shape of value i for input group g. */
function merged(groups: readonly (readonly Shape[])[], list: boolean): { shapes: readonly Shape[]; list: boolean } {
  const count = groups[0]?.length ?? 0;
  const shapes = Array.from({ length: count }, (_, i) => concatenatedShapes(groups.map((group) => group[i]!)));
  return { shapes: shapes.flat(), list: list || shapes.some((each) => each.length > 1) };
}

function concatenatedShapes(shapes: readonly Shape[]): readonly Shape[] {
  const [first, ...others] = shapes;
  if (!first) return [];
  const agree = others.every(
    (shape) =>
      shape.length === first.length &&
      sizes(shape.slice(1)) &&
      shape.slice(1).every((dim, i) => mayEqual(dim, first[i + 1]!)),
  );
  if (!agree) return shapes;
  return [[others.reduce((batch, shape) => concatenated(batch, shape[0]!), first[0]!), ...first.slice(1)]];
}
