/** What nodes make of the graph around them: crops, effective batches, lengths of queues. */
import type { CheckedGraph, CheckedNode } from './checked.ts';

/** By node; nodes that derive nothing are left out. */
export function derivedFacts(graph: CheckedGraph, ranks: number): Map<string, Readonly<Record<string, number>>> {
  const found = new Map<string, Readonly<Record<string, number>>>();
  for (const node of graph.nodes) {
    const [symbols = {}] = Object.values(node.symbols);
    const batchSize = batchSizeOf(graph, node);
    const facts = node.declaration.derives?.({ params: node.params, symbols, batchSize, ranks });
    if (facts && Object.keys(facts).length > 0) found.set(node.name, facts);
  }
  return found;
}

function batchSizeOf(graph: CheckedGraph, { phases }: CheckedNode): number | undefined {
  const isSource = (node: CheckedNode) =>
    node.declaration.role === 'collator' && node.phases.some((phase) => phases.includes(phase));
  return (graph.nodes.find(isSource)?.params as { batch_size?: number } | undefined)?.batch_size;
}
