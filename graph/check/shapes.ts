/** The shapes layer: values along the edges, node by node, phase by phase. */
import type { CheckedNode, PortRef } from '../checked.ts';
import { size } from '../dim.ts';
import { mapValues } from '../map-values.ts';
import type { ModelSummary } from '../model/summary.ts';
import type { NodeProblem, Ports } from '../node-type.ts';
import type { Types } from '../params/read.ts';
import type { PortValue } from '../port.ts';
import { type Draft, type Drafts, wirePath } from './draft.ts';
import { sourcesIn } from './need.ts';
import { type Answer, answer, inputsOf, type Question, unknownValue } from './outputs.ts';
import type { Phases } from './phases.ts';
import type { Report } from './report.ts';
import { type Arrival, unify } from './unify.ts';

/** What the shapes layer finds out about a node; keys as in CheckedNode. */
export interface Inferred extends Pick<CheckedNode, 'outputs' | 'inputValues' | 'symbols'> {
  readonly model?: ModelSummary;
}

/** One phase of one node. */
interface Result extends Answer {
  readonly inputs: Readonly<Record<string, readonly PortValue[]>>;
  readonly symbols: Readonly<Record<string, number>>;
}

const EVERY = '*';

/** @param order nodes, each after those it takes values from */
export function inferShapes(
  order: readonly Draft[],
  drafts: Drafts,
  phases: Phases,
  types: Types,
  report: Report,
): ReadonlyMap<string, Inferred> {
  const results = new Map<string, ReadonlyMap<string, Result>>();
  const valueAt = ({ node, port }: PortRef, phase: string): PortValue => {
    const of = results.get(node);
    const result = of?.get(phase) ?? of?.get(EVERY) ?? of?.values().next().value;
    return result?.outputs[port] ?? unknownValue(drafts.get(node)!.ports!.outputs[port]!);
  };
  for (const draft of order) {
    const ran = phases.of(draft.name);
    const active = ran.length > 0 ? ran : phases.possible(draft.name);
    const infer = (arrivals: readonly Arrival[]) =>
      inferOne(draft, arrivals, phases.unclear.has(draft.name), types, report);
    if (active.length < 2) {
      results.set(draft.name, new Map([[EVERY, infer(arrivalsOf(draft, active[0] ?? EVERY, valueAt))]]));
      continue;
    }
    const found: { phase: string; result: Result; arrivals: readonly Arrival[] }[] = [];
    for (const phase of active) {
      const arrivals = arrivalsOf(draft, phase, valueAt);
      const before = found.find((other) => sameValues(other.arrivals, arrivals));
      found.push({ phase, result: before?.result ?? infer(arrivals), arrivals });
    }
    const alike = found.every(({ result }) => result === found[0]!.result);
    results.set(
      draft.name,
      alike ? new Map([[EVERY, found[0]!.result]]) : new Map(found.map(({ phase, result }) => [phase, result])),
    );
  }
  return new Map(order.map(({ name, ports }) => [name, byPhase(results.get(name)!, ports?.outputs ?? {})]));
}

function arrivalsOf(
  { inputs, broken }: Draft,
  phase: string,
  valueAt: (ref: PortRef, phase: string) => PortValue,
): Arrival[] {
  return inputs.flatMap((input) => {
    if (broken.has(input.port)) return [];
    const refs = phase === EVERY ? Object.values(input.sources).flat() : sourcesIn(input, phase);
    return refs.map((ref) => ({
      port: input.port,
      type: input.type,
      value: valueAt(ref, phase),
      from: `${ref.node}.${ref.port}`,
    }));
  });
}

function sameValues(a: readonly Arrival[], b: readonly Arrival[]): boolean {
  return a.length === b.length && a.every((arrival, i) => arrival.value === b[i]!.value && arrival.port === b[i]!.port);
}

function inferOne(draft: Draft, arrivals: readonly Arrival[], unclear: boolean, types: Types, report: Report): Result {
  const { name, declaration, params, ports, valid } = draft;
  const problem = (found: NodeProblem) => reportProblem(draft, found, report);
  const unified = unify(unclear ? [] : arrivals);
  for (const { port, message } of unified.conflicts) problem({ at: port, message });
  const symbols: Record<string, number> = {};
  for (const [symbol, dim] of unified.symbols) {
    const known = size(dim);
    if (known !== undefined) symbols[symbol] = known;
  }
  const nothing = () => mapValues(ports?.outputs ?? {}, unknownValue);
  if (!declaration || !ports || !valid || unclear) return { outputs: nothing(), inputs: {}, symbols };
  const inputs = inputsOf(arrivals);
  const question: Question = { name, declaration, params, ports, arrivals, inputs, unified, symbols, problem, types };
  if (unified.conflicts.length > 0) return { outputs: nothing(), inputs, symbols };
  try {
    const { outputs, model } = answer(question);
    return { outputs, model, inputs, symbols };
  } catch (error) {
    // with an input missing a type may rightly stumble; otherwise the type has a defect, which must not hide the rest
    if (draft.broken.size === 0) {
      problem({ message: `${declaration.type} failed while its outputs were worked out: ${(error as Error).message}` });
    }
    return { outputs: nothing(), inputs, symbols };
  }
}

/** `at` names an input or a param, which may go deeper: "larc.eps". */
export function reportProblem(
  draft: Draft,
  { at, message, cure }: NodeProblem,
  report: Report,
  layer: 'shapes' | 'environment' = 'shapes',
): void {
  const { name, value, ports } = draft;
  const isInput = at !== undefined && ports?.inputs[at] !== undefined && !Object.hasOwn(value, at);
  const path = isInput ? wirePath(draft, at) : ['nodes', name, ...(at?.split('.') ?? [])];
  report.add({ layer, path, where: at ? `${name}.${at}` : name, message, cure });
}

function byPhase(results: ReadonlyMap<string, Result>, ports: Ports): Inferred {
  const pick = <T>(f: (result: Result) => T): Record<string, T> => {
    const picked: Record<string, T> = {};
    for (const [phase, result] of results) picked[phase] = f(result);
    return picked;
  };
  return {
    outputs: mapValues(ports, (_, port) => pick(({ outputs }) => outputs[port]!)),
    inputValues: pick(({ inputs }) => inputs),
    symbols: pick(({ symbols }) => symbols),
    model: [...results.values()].find(({ model }) => model)?.model,
  };
}
