/** The order of a batch: forward → event forward → targets → losses → meters → event loss_and_meter → backward. */
import { type Graph, type GraphNode, producers } from './edges.ts';

export type Stage = 'forward' | 'target' | 'loss' | 'meter';

export const STAGES: readonly Stage[] = ['forward', 'target', 'loss', 'meter'];

const OWN: Readonly<Record<string, number>> = { model: 0, compute: 0, target: 1, loss: 2, meter: 3, bank: 3 };

/**
 * Stages of the nodes of a phase, given in topological order. A node never runs before what it reads. A model or
 * computation that reads a target runs with the losses where gradient flows through it. One that no gradient passes
 * through and that only targets, losses and meters read (a momentum encoder) runs after the event `forward`, with the
 * targets: observers of `forward` have then brought its parameters up to date, which is the order of VISSL's MoCo and
 * SwAV momentum hooks.
 */
export function assignStages(
  graph: Graph,
  nodes: readonly GraphNode[],
  phase: string,
  gradient: ReadonlySet<string>,
): Map<string, Stage> {
  const late = lateNodes(graph, nodes, phase, gradient);
  const ranks = new Map<string, number>();
  for (const node of nodes) {
    let rank = late.has(node.name) ? 1 : OWN[node.declaration.role];
    for (const { name } of producers(graph, node, phase)) rank = Math.max(rank, ranks.get(name) ?? 0);
    if (rank === 1 && gradient.has(node.name)) rank = 2;
    ranks.set(node.name, rank);
  }
  return new Map([...ranks].map(([name, rank]) => [name, STAGES[rank]]));
}

function lateNodes(
  graph: Graph,
  nodes: readonly GraphNode[],
  phase: string,
  gradient: ReadonlySet<string>,
): ReadonlySet<string> {
  const late = new Set<string>();
  if (!nodes.some(({ name }) => gradient.has(name))) return late;
  const readers = new Map<string, GraphNode[]>();
  for (const node of nodes) {
    for (const { name } of producers(graph, node, phase)) readers.set(name, [...(readers.get(name) ?? []), node]);
  }
  const early = (node: GraphNode): boolean => OWN[node.declaration.role] === 0 && !late.has(node.name);
  for (const node of nodes.toReversed()) {
    const all = readers.get(node.name) ?? [];
    if (OWN[node.declaration.role] > 0 || gradient.has(node.name)) continue;
    if (all.some(({ declaration }) => declaration.role !== 'meter') && !all.some(early)) late.add(node.name);
  }
  return late;
}
