/** Runs of transforms that are drawn as one box. */
import type { CheckedGraph, CheckedNode } from '../checked.ts';

/** All nodes in order; transforms that only follow each other are together, at the place of the first. */
export function chainsOf(graph: CheckedGraph): CheckedNode[][] {
  const readers = new Map<string, Set<string>>();
  const sources = new Map<string, string[]>();
  for (const { name, inputs } of graph.nodes) {
    const from = new Set(inputs.flatMap((input) => Object.values(input.sources).flat()).map(({ node }) => node));
    sources.set(name, [...from]);
    for (const node of from) readers.set(node, (readers.get(node) ?? new Set()).add(name));
  }
  const isTransform = (name: string) => graph.byName.get(name)!.declaration.role === 'transform';
  /** the transform that this one merely continues */
  const before = (name: string): string | undefined => {
    const [source, ...others] = sources.get(name)!;
    if (source === undefined || others.length > 0 || !isTransform(name) || !isTransform(source)) return undefined;
    return readers.get(source)!.size === 1 ? source : undefined;
  };
  const chains = new Map<string, CheckedNode[]>();
  for (const node of graph.nodes) {
    const previous = before(node.name);
    const chain = previous === undefined ? [] : chains.get(previous)!;
    chain.push(node);
    chains.set(node.name, chain);
  }
  return [...new Set(chains.values())];
}
