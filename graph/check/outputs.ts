/** What comes out of one node, from what goes in: by role, then as the node type itself infers. */
import { isLeft } from 'fp-ts/lib/Either.js';
import { formatShape } from '../dim.ts';
import { innerDatasetFacts, innerTransformFacts } from '../inner-facts.ts';
import { mapValues } from '../map-values.ts';
import { type ModelSummary, summarize } from '../model/summary.ts';
import type { NodeDeclaration, NodeProblem, Ports } from '../node-type.ts';
import type { Params, Types } from '../params/read.ts';
import type { Dim, PortType, PortValue, SampleFacts, Shape } from '../port.ts';
import { type Arrival, substitute, type Unified } from './unify.ts';

/** A node in one phase, ready to be asked. */
export interface Question {
  readonly name: string;
  readonly declaration: NodeDeclaration;
  readonly params: Params;
  readonly ports: { readonly inputs: Ports; readonly outputs: Ports };
  readonly arrivals: readonly Arrival[];
  /** values by input; an input with several references has several */
  readonly inputs: Inputs;
  readonly unified: Unified;
  /** bound symbols whose size is known */
  readonly symbols: Readonly<Record<string, number>>;
  readonly problem: (problem: NodeProblem) => void;
  /** every type in the document */
  readonly types: Types;
}

export type Inputs = Readonly<Record<string, readonly PortValue[]>>;

export interface Answer {
  readonly outputs: Readonly<Record<string, PortValue>>;
  readonly model?: ModelSummary;
}

/** by type: nodes of one type share their ports' types */
const unknownValues = new WeakMap<PortType, PortValue>();

/** A value of which only the port's type is known. */
export function unknownValue(type: PortType): PortValue {
  const before = unknownValues.get(type);
  if (before) return before;
  const { rate, kind, dtype, list } = type;
  const value: PortValue = { rate, kind, dtype, list: list === true };
  unknownValues.set(type, value);
  return value;
}

export function answer(question: Question): Answer {
  const base = byRole(question);
  const { declaration, name, params, inputs, symbols, problem } = question;
  if (!declaration.infer) return base;
  const inferred = declaration.infer({ name, params, inputs, symbols, problem });
  const outputs = mapValues(base.outputs, (value, port) => (inferred[port] ? { ...value, ...inferred[port] } : value));
  return { model: base.model, outputs };
}

export function inputsOf(arrivals: readonly Arrival[]): Inputs {
  const inputs: Record<string, PortValue[]> = {};
  for (const { port, value } of arrivals) {
    inputs[port] ??= [];
    inputs[port].push(value);
  }
  return inputs;
}

function byRole(question: Question): Answer {
  const { declaration, params, problem, types } = question;
  const facts = question.arrivals.find(({ value }) => value.sample)?.value.sample;
  switch (declaration.role) {
    case 'dataset':
      return { outputs: samples(question, declaration.facts(params, innerDatasetFacts(types))) };
    case 'transform':
      return {
        outputs: samples(
          question,
          facts && declaration.facts(facts, params, problem, innerTransformFacts(types, problem)),
        ),
      };
    case 'collator':
      return { outputs: facts ? collated(question, facts) : unknown(question) };
    case 'model':
      return modelled(question);
    case 'bank':
      return { outputs: declaredOutputs(question, facts) };
    default:
      return { outputs: declaredOutputs(question) };
  }
}

const unknown = ({ ports }: Question) => mapValues(ports.outputs, unknownValue);

function samples(question: Question, facts: SampleFacts | undefined): Record<string, PortValue> {
  return mapValues(question.ports.outputs, (type) =>
    type.kind === 'sample' ? { ...unknownValue(type), sample: facts } : unknownValue(type),
  );
}

function collated(question: Question, facts: SampleFacts): Record<string, PortValue> {
  const { declaration, params, problem } = question;
  if (declaration.role !== 'collator') return {};
  const slabs = declaration.slabs(facts, params, problem);
  return mapValues(question.ports.outputs, (type, port) => {
    const of = slabs.filter((slab) => slab.port === port).sort((a, b) => a.element - b.element);
    const value = { ...unknownValue(type), sample: facts };
    return of.length > 0 ? { ...value, dtype: of[0]!.dtype, shapes: of.map(({ shape }) => shape) } : value;
  });
}

function modelled(question: Question): Answer {
  const { declaration, name, params, inputs, symbols, ports, arrivals, problem } = question;
  const primary = Object.keys(ports.inputs)[0];
  const arrival = arrivals.find(({ port }) => port === primary);
  const shapes = arrival?.value.shapes;
  if (declaration.role !== 'model') return { outputs: {} };
  const spec = declaration.model({ name, params, inputs, symbols, problem });
  if (!spec || !arrival || !shapes) return { outputs: unknown(question) };
  const result = summarize(spec, shapes);
  if (isLeft(result)) {
    const given = shapes.map(formatShape).join(', ');
    for (const message of result.left) problem({ at: primary, message: `${message} (${arrival.from} gives ${given})` });
    return { outputs: unknown(question) };
  }
  const model = result.right;
  return {
    model,
    outputs: mapValues(ports.outputs, (type, port) => {
      const output = model.outputs[port];
      if (output) return { ...unknownValue(type), ...output };
      const weights = spec.weights?.[port];
      if (!weights) return unknownValue(type);
      const shapeOf = (weight: string) => model.parameters.find((parameter) => parameter.name === weight)!.shape;
      return { ...unknownValue(type), shapes: weights.map((weight) => shapeOf(weight).map((n): Dim => [n])) };
    }),
  };
}

function declaredOutputs(question: Question, facts?: SampleFacts): Record<string, PortValue> {
  const { name, unified, arrivals } = question;
  return mapValues(question.ports.outputs, (type) => {
    const known = unknownValue(type);
    const value = facts && type.kind === 'bank' ? { ...known, sample: facts } : known;
    if (!type.shape) return value;
    const one = (symbols: ReadonlyMap<string, Dim>): Shape => substitute(type.shape!, symbols, name);
    const { symbols, elements } = unified;
    const perElement = type.list && elements.length > 0 && arrivals.some((arrival) => arrival.type.list);
    if (type.list && !perElement) return value;
    const shapes = perElement ? elements.map((own) => one(new Map([...symbols, ...own]))) : [one(symbols)];
    return { ...value, shapes };
  });
}
