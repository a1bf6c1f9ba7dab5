/** Forwards: where batches come from, and so in which phases a node could run. */
import type { CheckedInput } from '../checked.ts';
import { didYouMean } from '../problem.ts';
import { type Draft, type Drafts, wirePath } from './draft.ts';
import type { Report } from './report.ts';

export const DEFAULT_PHASE = 'train';

/** Phases by node; undefined: in any (nothing per batch comes in, or what does is not known). */
export type Flow = ReadonlyMap<string, ReadonlySet<string> | undefined>;

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

/** The phases that all inputs per batch have in common. @param flow of the nodes before it */
export function phasesOf(draft: Draft, flow: Flow, drafts: Drafts, report: Report): ReadonlySet<string> | undefined {
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
      report.add({
        layer: 'wiring',
        path: [...wirePath(draft, input.port), phase],
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
