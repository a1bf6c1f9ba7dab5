/** The wiring layer, part three: values of rate once order the phases. */
import type { Draft, Drafts } from './draft.ts';
import { runsPerBatch } from './flow.ts';
import { sourcesIn } from './need.ts';
import type { Phases } from './phases.ts';
import type { Report } from './report.ts';

/**
 * A bank filled in phase A and needed in phase B puts A before B. Reports a phase that would have to come before
 * itself. @param order nodes, each after those it takes values from
 */
export function checkOnce(order: readonly Draft[], drafts: Drafts, phases: Phases, report: Report): void {
  /** node → banks its value comes from, with the phase they are filled in */
  const origins = new Map<string, ReadonlyMap<string, string>>();
  /** phase → phases that must come before it, and the bank that says so */
  const before = new Map<string, Map<string, { bank: string; node: string }>>();
  for (const draft of order) {
    const from = new Map<string, string>();
    for (const input of draft.inputs) {
      for (const { node } of Object.values(input.sources).flat()) {
        if (!runsPerBatch(drafts.get(node)!))
          for (const [bank, phase] of origins.get(node) ?? []) from.set(bank, phase);
        else if (drafts.get(node)!.declaration!.role === 'bank')
          for (const phase of phases.of(node)) from.set(node, phase);
      }
    }
    origins.set(draft.name, from);
    for (const phase of phases.of(draft.name)) {
      const given = new Set(draft.inputs.flatMap((input) => sourcesIn(input, phase).map(({ node }) => node)));
      for (const [bank, filled] of from) {
        const reached = [...given].some((node) => node === bank || origins.get(node)?.has(bank));
        if (!reached) continue;
        const others = before.get(phase) ?? new Map();
        before.set(phase, others);
        if (!others.has(filled)) others.set(filled, { bank, node: draft.name });
      }
    }
  }
  reportCircles(before, report);
}

function reportCircles(
  before: ReadonlyMap<string, ReadonlyMap<string, { bank: string; node: string }>>,
  report: Report,
): void {
  const done = new Set<string>();
  const visit = (phase: string, path: readonly string[]): void => {
    if (path.includes(phase)) {
      const circle = [...path.slice(path.indexOf(phase)), phase];
      const steps = circle.slice(1).map((earlier, i) => {
        const { bank, node } = before.get(circle[i]!)!.get(earlier)!;
        return `${node} in phase ${circle[i]} needs ${bank}, which phase ${earlier} fills`;
      });
      const { bank } = before.get(circle[0]!)!.get(circle[1]!)!;
      report.add({
        layer: 'wiring',
        path: ['nodes', bank],
        where: bank,
        message: `a value that is there once per run would be needed before it is there: ${steps.join('; ')}`,
        cure: 'Fill the bank in a phase of its own: another collator with "phase": "…"',
      });
      return;
    }
    if (done.has(phase)) return;
    for (const earlier of before.get(phase)?.keys() ?? []) visit(earlier, [...path, phase]);
    done.add(phase);
  };
  for (const phase of before.keys()) visit(phase, []);
}
