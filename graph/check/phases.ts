/**
 * The wiring layer, part two: which phases a node runs in. A collator belongs to a phase; a node runs where all its
 * inputs per batch do; and of that only what an optimizer, a meter, a bank or a watched loss needs.
 */
import type { Draft, Drafts } from './draft.ts';
import { DEFAULT_PHASE, phasesOf, runsPerBatch } from './flow.ts';
import { neededPhases } from './need.ts';
import type { Report } from './report.ts';

export interface Phases {
  /** phases of the collators, in document order */
  readonly declared: readonly string[];
  /** those that something needs */
  readonly all: readonly string[];
  /** phases a node runs in, in that order; empty for what belongs to none */
  of(node: string): readonly string[];
  /** phases a node could run in; for nodes that nothing needs */
  possible(node: string): readonly string[];
  /** nodes with a mistake in their phases: nothing that follows from it is reported */
  readonly unclear: ReadonlySet<string>;
  /** phases with an optimizer, a bank, a meter or a loss that runs there */
  readonly with: Readonly<Record<'optimizer' | 'bank' | 'meter' | 'loss', ReadonlySet<string>>>;
}

const NEVER: readonly string[] = [];

/**
 * @param order nodes, each after those it takes values from
 * @param watched nodes whose outputs hooks name
 */
export function findPhases(
  order: readonly Draft[],
  drafts: Drafts,
  watched: ReadonlySet<string>,
  report: Report,
): Phases {
  const flow = new Map<string, ReadonlySet<string> | undefined>();
  const unclear = new Set<string>();
  for (const draft of order) {
    const before = report.problems.length;
    const phases = phasesOf(draft, flow, drafts, report);
    const wrong = report.problems.length > before;
    flow.set(draft.name, wrong ? undefined : phases);
    if (wrong) unclear.add(draft.name);
  }
  const collators = [...drafts.values()].filter(({ declaration }) => declaration?.role === 'collator');
  const declared = [...new Set(collators.map(({ value }) => value.phase ?? DEFAULT_PHASE))];
  const needed = neededPhases(order, flow, drafts, { declared: new Set(declared), watched });
  const ordered = (phases: ReadonlySet<string> | undefined) =>
    declared.filter((phase) => phases === undefined || phases.has(phase));
  const runs = new Map([...needed].map(([node, phases]) => [node, phases.size > 0 ? ordered(phases) : NEVER]));
  const inPhases = (role: string) =>
    new Set(
      [...drafts.values()].flatMap(({ name, declaration }) =>
        declaration?.role === role ? [...(needed.get(name) ?? [])] : [],
      ),
    );
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
    declared,
    all: ordered(used),
    of: (node) => runs.get(node) ?? NEVER,
    unclear,
    possible: (node) => (runsPerBatch(drafts.get(node)!) ? ordered(flow.get(node)) : []),
    with: {
      optimizer: inPhases('optimizer'),
      bank: inPhases('bank'),
      meter: inPhases('meter'),
      loss: inPhases('loss'),
    },
  };
}
