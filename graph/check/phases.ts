/**
 * The wiring layer, part two: which phases a node runs in. A collator belongs to a phase; a node runs where all its
 * inputs per batch do; and of that only what an optimizer, a meter, a bank or a watched loss needs.
 */
import type { CheckedInput, PortRef } from '../checked.ts';
import { didYouMean } from '../problem.ts';
import type { Draft, Drafts } from './draft.ts';
import type { Report } from './report.ts';

export const DEFAULT_PHASE = 'train';

/** Phases by node; undefined: in any (nothing per batch comes in, or what does is not known). */
type Flow = ReadonlyMap<string, ReadonlySet<string> | undefined>;

export interface Phases {
  /** phases of the collators that something needs, in document order */
  readonly all: readonly string[];
  /** phases a node runs in, in that order; empty for what belongs to none */
  of(node: string): readonly string[];
  /** phases a node could run in; for nodes that nothing needs */
  possible(node: string): readonly string[];
  /** phases with an optimizer, a bank, a meter or a loss that runs there */
  readonly with: Readonly<Record<'optimizer' | 'bank' | 'meter' | 'loss', ReadonlySet<string>>>;
}

/** Whether a node runs once per batch of its phases. */
export function runsPerBatch({ declaration, inputs }: Draft): boolean {
  switch (declaration?.role) {
    case 'dataset':
    case 'transform':
    case 'artifact':
    case 'evaluator':
    case undefined:
      return false;
    case 'model':
    case 'collator':
    case 'optimizer':
    case 'bank':
    case 'meter':
      return true;
    default:
      return inputs.length === 0 || inputs.some(({ type }) => type.rate === 'batch');
  }
}

/** The references of an input in a phase. */
export function sourcesIn(input: CheckedInput, phase: string): readonly PortRef[] {
  return input.sources[phase] ?? input.sources['*'] ?? [];
}

/** @param order nodes, each after those it takes values from */
export function findPhases(order: readonly Draft[], drafts: Drafts, report: Report): Phases {
  const flow = new Map<string, ReadonlySet<string> | undefined>();
  for (const draft of order) flow.set(draft.name, phasesOf(draft, flow, drafts, report));
  const declared = [...drafts.values()].flatMap((draft) =>
    draft.declaration?.role === 'collator' ? [draft.value.phase ?? DEFAULT_PHASE] : [],
  );
  const needed = neededPhases(order, flow, drafts, new Set(declared));
  const ordered = (phases: ReadonlySet<string> | undefined) =>
    [...new Set(declared)].filter((phase) => phases === undefined || phases.has(phase));
  const inPhases = (role: string) =>
    new Set(
      [...drafts.values()].flatMap(({ name, declaration }) =>
        declaration?.role === role ? [...(needed.get(name) ?? [])] : [],
      ),
    );
  const collators = [...drafts.values()].filter(({ declaration }) => declaration?.role === 'collator');
  for (const { name } of collators) {
    if (needed.get(name)?.size) continue;
    report.note({
      layer: 'wiring',
      path: ['nodes', name],
      where: name,
      message: 'no batch is taken from here: nothing behind it is an optimizer, a meter, a bank or a loss',
    });
  }
  const used = new Set(collators.flatMap(({ name }) => [...(needed.get(name) ?? [])]));
  return {
    all: ordered(used),
    of: (node) => ordered(needed.get(node) ?? new Set()),
    possible: (node) => (runsPerBatch(drafts.get(node)!) ? ordered(flow.get(node)) : []),
    with: {
      optimizer: inPhases('optimizer'),
      bank: inPhases('bank'),
      meter: inPhases('meter'),
      loss: inPhases('loss'),
    },
  };
}

function phasesOf(draft: Draft, flow: Flow, drafts: Drafts, report: Report): ReadonlySet<string> | undefined {
  const { name, value, declaration, inputs, broken } = draft;
  if (!runsPerBatch(draft)) {
    if (value.phase !== undefined && declaration) notPhased(draft, report);
    return undefined;
  }
  if (declaration!.role === 'collator') return new Set([value.phase ?? DEFAULT_PHASE]);
  const sides: { input: CheckedInput; phases: ReadonlySet<string> }[] = [];
  for (const input of inputs) {
    if (input.type.rate !== 'batch' || broken.has(input.port)) continue;
    const phases = phasesOfInput(draft, input, flow, drafts, report);
    if (phases) sides.push({ input, phases });
  }
  const own = value.phase ?? (declaration!.role === 'optimizer' ? DEFAULT_PHASE : undefined);
  const common = sides.map(({ phases }) => phases).reduce<ReadonlySet<string> | undefined>(intersection, undefined);
  if (common === undefined) return own === undefined ? undefined : new Set([own]);
  if (common.size === 0) {
    if (sides.every(({ phases }) => phases.size > 0)) reportApart(draft, sides, report);
    return common;
  }
  if (own === undefined) return common;
  if (common.has(own)) return new Set([own]);
  report.add({
    layer: 'wiring',
    path: ['nodes', name, ...(value.phase === undefined ? [] : ['phase'])],
    where: name,
    message: `runs in phase ${own}${value.phase === undefined ? ' (as optimizers do)' : ''}, but its inputs come in ${list(common)}`,
    cure: value.phase === undefined ? `Write "phase": "${[...common][0]}"` : didYouMean(own, common),
  });
  return new Set();
}

/** Phases in which all references of an input have a value; undefined: any. */
function phasesOfInput(
  draft: Draft,
  input: CheckedInput,
  flow: Flow,
  drafts: Drafts,
  report: Report,
): ReadonlySet<string> | undefined {
  let phases: ReadonlySet<string> | undefined;
  for (const { node } of input.sources['*'] ?? []) {
    const of = flow.get(node);
    if (of) phases = intersection(phases, of);
  }
  const byPhase = Object.entries(input.sources).filter(([phase]) => phase !== '*');
  if (byPhase.length === 0) return phases;
  const right = byPhase.filter(([phase, refs]) =>
    refs.every(({ node, port }) => {
      const of = flow.get(node);
      if (!of || of.has(phase)) return true;
      if (of.size === 0) return false;
      const source = drafts.get(node)!;
      const from = draft.value.inputs?.[input.port] === undefined ? ['from'] : ['inputs', input.port];
      report.add({
        layer: 'wiring',
        path: ['nodes', draft.name, ...from, phase],
        where: `${draft.name}.${input.port}`,
        message: `is connected to ${node}.${port} in phase ${phase}, but ${node} runs in ${list(of)}`,
        cure:
          source.declaration?.role === 'collator'
            ? `Rename the phase here or write "phase": "${phase}" at ${node}`
            : '',
      });
      return false;
    }),
  );
  return new Set(right.map(([phase]) => phase));
}

/** @param a undefined: any */
function intersection(a: ReadonlySet<string> | undefined, b: ReadonlySet<string>): ReadonlySet<string> {
  return a ? new Set([...a].filter((phase) => b.has(phase))) : b;
}

function reportApart(
  { name }: Draft,
  sides: readonly { input: CheckedInput; phases: ReadonlySet<string> }[],
  report: Report,
): void {
  const shown = sides.map(({ input, phases }) => {
    const refs = Object.values(input.sources).flat();
    return `${input.port} (from ${refs.map(({ node, port }) => `${node}.${port}`).join(', ')}) comes in ${list(phases)}`;
  });
  report.add({
    layer: 'wiring',
    path: ['nodes', name],
    where: name,
    message: `runs in no phase: ${shown.join('; ')}`,
    cure: 'Connect inputs that come in the same phase, or one by phase: { "train": …, "test": … }',
  });
}

function notPhased({ name, value, declaration }: Draft, report: Report): void {
  report.add({
    layer: 'wiring',
    path: ['nodes', name, 'phase'],
    key: true,
    where: name,
    message: `${declaration!.type} belongs to no phase, and says "phase": "${value.phase}"`,
    cure: 'Phases belong to collators and to what runs per batch; remove "phase"',
  });
}

function list(phases: ReadonlySet<string>): string {
  const names = [...phases];
  if (names.length === 0) return 'no phase';
  return names.length === 1 ? `phase ${names[0]}` : `the phases ${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** Backwards from what a phase is run for. */
function neededPhases(
  order: readonly Draft[],
  flow: Flow,
  drafts: Drafts,
  declared: ReadonlySet<string>,
): ReadonlyMap<string, ReadonlySet<string>> {
  const needed = new Map<string, Set<string>>(order.map(({ name }) => [name, new Set()]));
  const ends = (role: string) =>
    new Set(order.flatMap(({ name, declaration }) => (declaration?.role === role ? [...(flow.get(name) ?? [])] : [])));
  const [training, collecting] = [ends('optimizer'), ends('bank')];
  for (const draft of order) {
    const role = draft.declaration?.role;
    const phases = flow.get(draft.name) ?? declared;
    if (role === 'optimizer' || role === 'meter' || role === 'bank')
      for (const phase of phases) needed.get(draft.name)!.add(phase);
    if (role !== 'loss') continue;
    // a loss is worth computing for itself where nothing is trained and no features are gathered
    for (const phase of phases) if (!training.has(phase) && !collecting.has(phase)) needed.get(draft.name)!.add(phase);
  }
  for (const draft of [...order].reverse()) {
    for (const phase of needed.get(draft.name)!) {
      for (const input of draft.inputs) {
        for (const { node } of sourcesIn(input, phase)) {
          const of = flow.get(node);
          if (runsPerBatch(drafts.get(node)!) && (!of || of.has(phase))) needed.get(node)!.add(phase);
        }
      }
    }
  }
  return needed;
}
