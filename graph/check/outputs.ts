/** What comes out of one node, from what goes in: by role, then as the node type itself infers. */
import { isLeft } from 'fp-ts/lib/Either.js';
import { formatShape } from '../dim.ts';
import { innerDatasetFacts, innerTransformFacts } from '../inner-facts.ts';
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
  readonly unified: Unified;
  /** bound symbols whose size is known */
  readonly symbols: Readonly<Record<string, number>>;
  readonly problem: (problem: NodeProblem) => void;
  /** every type in the document */
  readonly types: Types;
}

export interface Answer {
  readonly outputs: Readonly<Record<string, PortValue>>;
  readonly model?: ModelSummary;
}

/** A value of which only the port's type is known. */
export function unknownValue({ rate, kind, dtype, list }: PortType): PortValue {
  return { rate, kind, dtype, list: list === true };
}

export function answer(question: Question): Answer {
  const base = byRole(question);
  const { declaration, name, params, symbols, problem } = question;
  if (!declaration.infer) return base;
  const inferred = declaration.infer({ name, params, inputs: inputsOf(question), symbols, problem });
  const outputs = { ...base.outputs };
  for (const [port, value] of Object.entries(inferred)) {
    if (outputs[port]) outputs[port] = { ...outputs[port], ...value };
  }
  return { ...base, outputs };
}

/** Values by input; an input with several references has several. */
export function inputsOf({ arrivals }: Question): Readonly<Record<string, readonly PortValue[]>> {
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

function mapPorts(question: Question, f: (port: string, type: PortType) => PortValue): Record<string, PortValue> {
  return Object.fromEntries(Object.entries(question.ports.outputs).map(([port, type]) => [port, f(port, type)]));
}

const unknown = (question: Question) => mapPorts(question, (_, type) => unknownValue(type));

function samples(question: Question, facts: SampleFacts | undefined): Record<string, PortValue> {
  return mapPorts(question, (_, type) =>
    type.kind === 'sample' ? { ...unknownValue(type), sample: facts } : unknownValue(type),
  );
}

function collated(question: Question, facts: SampleFacts): Record<string, PortValue> {
  const { declaration, params, problem } = question;
  if (declaration.role !== 'collator') return {};
  const slabs = declaration.slabs(facts, params, problem);
  return mapPorts(question, (port, type) => {
    const of = slabs.filter((slab) => slab.port === port).sort((a, b) => a.element - b.element);
    const value = { ...unknownValue(type), sample: facts };
    return of.length > 0 ? { ...value, dtype: of[0]!.dtype, shapes: of.map(({ shape }) => shape) } : value;
  });
}

function modelled(question: Question): Answer {
  const { declaration, name, params, symbols, ports, arrivals, problem } = question;
  const primary = Object.keys(ports.inputs)[0];
  const arrival = arrivals.find(({ port }) => port === primary);
  const shapes = arrival?.value.shapes;
  if (declaration.role !== 'model') return { outputs: {} };
  const spec = declaration.model({ name, params, inputs: inputsOf(question), symbols, problem });
  if (!spec || !arrival || !shapes) return { outputs: unknown(question) };
  const result = summarize(spec, shapes);
  if (isLeft(result)) {
    const given = shapes.map(formatShape).join(', ');
    for (const message of result.left) problem({ at: primary, message: `${message} (${arrival.from} gives ${given})` });
    return { outputs: unknown(question) };
  }
  const model = result.right;
  const stored = new Map(model.parameters.map((parameter) => [parameter.name, parameter.shape]));
  return {
    model,
    outputs: mapPorts(question, (port, type) => {
      const output = model.outputs[port];
      if (output) return { ...unknownValue(type), ...output };
      const weights = spec.weights?.[port];
      if (!weights) return unknownValue(type);
      return { ...unknownValue(type), shapes: weights.map((weight) => stored.get(weight)!.map((n): Dim => [n])) };
    }),
  };
}

function declaredOutputs(question: Question, facts?: SampleFacts): Record<string, PortValue> {
  const { name, unified, arrivals } = question;
  return mapPorts(question, (_, type) => {
    const value: PortValue = { ...unknownValue(type), ...(facts && type.kind === 'bank' ? { sample: facts } : {}) };
    if (!type.shape) return value;
    const one = (symbols: ReadonlyMap<string, Dim>): Shape => substitute(type.shape!, symbols, name);
    const { symbols, elements } = unified;
    const perElement = type.list && arrivals.some((arrival) => arrival.type.list) && elements.length > 0;
    const shapes = perElement ? elements.map((own) => one(new Map([...symbols, ...own]))) : [one(symbols)];
    return type.list && !perElement ? value : { ...value, shapes };
  });
}
