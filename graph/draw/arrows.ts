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
  return [...pairs.values()].map(({ from, to, wires }) => ({
    from,
    to,
    label: label(graph, from, wires),
    kind: kindOf(wires),
  }));
}

function references({ sources }: CheckedInput): { phase: string; ref: PortRef }[] {
  return Object.entries(sources).flatMap(([phase, refs]) => refs.map((ref) => ({ phase, ref })));
}

/** Ports where the source has several outputs to read from; phases where the input differs by phase. */
function label(graph: CheckedGraph, from: string, wires: readonly Wire[]): string {
  const outputs = Object.keys(graph.byName.get(from)!.outputs);
  const ports = [...new Set(wires.map(({ port }) => port))];
  const phases = [...new Set(wires.map(({ phase }) => phase))].filter((phase) => phase !== '*');
  const named = outputs.length > 1 ? ports.join(', ') : '';
  const inPhase = phases.length > 0 ? `in ${phases.join(', ')}` : '';
  return [named, inPhase].filter(Boolean).join(' ');
}

function kindOf(wires: readonly Wire[]): Arrow['kind'] {
  if (wires.some(({ kind }) => kind === 'sample')) return 'sample';
  if (wires.every(({ rate }) => rate === 'once' || rate === 'phase')) return 'once';
  return wires.every(({ kind }) => kind === 'label' || kind === 'index') ? 'side' : 'batch';
}
