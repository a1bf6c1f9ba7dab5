/** Arrows between boxes: one per pair, naming ports and phases only where they tell something apart. */
import type { CheckedGraph, CheckedInput, PortRef } from '../checked.ts';
import type { Kind, Rate } from '../port.ts';
import type { Arrow } from './picture.ts';

interface Wire {
  readonly port: string;
  readonly phase: string;
  readonly kind: Kind;
  readonly rate: Rate;
}

/** @param boxOf node → box it is drawn in */
export function arrowsOf(graph: CheckedGraph, boxOf: ReadonlyMap<string, string>): Arrow[] {
  const pairs = new Map<string, { from: string; to: string; wires: Wire[] }>();
  for (const { name, inputs } of graph.nodes) {
    for (const input of inputs) {
      for (const { phase, ref } of references(input)) {
        const [from, to] = [boxOf.get(ref.node)!, boxOf.get(name)!];
        if (from === to) continue;
        const key = JSON.stringify([from, to]);
        const pair = pairs.get(key) ?? { from, to, wires: [] };
        pairs.set(key, pair);
        pair.wires.push({ port: ref.port, phase, kind: input.type.kind, rate: input.type.rate });
      }
    }
  }
  const read = new Map<string, Set<string>>();
  for (const { from, wires } of pairs.values()) {
    for (const { port } of wires) read.set(from, (read.get(from) ?? new Set()).add(port));
  }
  return [...pairs.values()].map(({ from, to, wires }) => ({
    from,
    to,
    label: label(wires, read.get(from)!, graph.byName.get(from)!.phases),
    kind: kindOf(wires),
  }));
}

function references({ sources }: CheckedInput): { phase: string; ref: PortRef }[] {
  return Object.entries(sources).flatMap(([phase, refs]) => refs.map((ref) => ({ phase, ref })));
}

/**
 * Ports unless the arrow carries all that is read from its source; phases where the input differs by phase and the source
 * runs in others too.
 */
function label(wires: readonly Wire[], read: ReadonlySet<string>, runs: readonly string[]): string {
  const ports = [...new Set(wires.map(({ port }) => port))];
  const phases = [...new Set(wires.map(({ phase }) => phase))].filter((phase) => phase !== '*');
  const named = ports.length < read.size ? ports.join(', ') : '';
  const inPhase = phases.length > 0 && phases.length < runs.length ? `in ${phases.join(', ')}` : '';
  return [named, inPhase].filter(Boolean).join(' ');
}

function kindOf(wires: readonly Wire[]): Arrow['kind'] {
  if (wires.some(({ kind }) => kind === 'sample')) return 'sample';
  if (wires.every(({ rate }) => rate === 'once' || rate === 'phase')) return 'once';
  return wires.every(({ kind }) => kind === 'label' || kind === 'index') ? 'side' : 'batch';
}
