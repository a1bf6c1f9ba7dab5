/** Backwards: which of the phases a node could run in something needs it in. */
import type { CheckedInput, PortRef } from '../checked.ts';
import type { Draft, Drafts } from './draft.ts';
import { type Flow, runsPerBatch } from './flow.ts';

/** The references of an input in a phase. */
export function sourcesIn(input: CheckedInput, phase: string): readonly PortRef[] {
  return input.sources[phase] ?? input.sources['*'] ?? [];
}

/** Phases by node, beginning with what a phase is run for. */
export function neededPhases(
  order: readonly Draft[],
  flow: Flow,
  drafts: Drafts,
  { declared, watched }: { declared: ReadonlySet<string>; watched: ReadonlySet<string> },
): ReadonlyMap<string, ReadonlySet<string>> {
  const needed = new Map<string, Set<string>>(order.map(({ name }) => [name, new Set()]));
  const ends = (role: string) =>
    new Set(order.flatMap(({ name, declaration }) => (declaration?.role === role ? [...(flow.get(name) ?? [])] : [])));
  const [training, collecting] = [ends('optimizer'), ends('bank')];
  const endsHere = ({ name, declaration }: Draft, phase: string): boolean => {
    const role = declaration?.role;
    if (role === 'optimizer' || role === 'meter' || role === 'bank') return true;
    // a loss is worth computing for itself where nothing is trained and no features are gathered
    if (role === 'loss' && !training.has(phase) && !collecting.has(phase)) return true;
    return watched.has(name) && (training.has(phase) || !collecting.has(phase));
  };
  for (const draft of order) {
    if (!runsPerBatch(draft)) continue;
    for (const phase of flow.get(draft.name) ?? declared)
      if (endsHere(draft, phase)) needed.get(draft.name)!.add(phase);
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
