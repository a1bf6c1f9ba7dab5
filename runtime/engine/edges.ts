/** Questions about the edges of a checked graph. Refs are written "node.port". */
import type { CheckedGraph, CheckedInput, CheckedNode, PortRef } from '../../graph/checked.ts';
import type { NodeType } from '../node.ts';

export type Graph = CheckedGraph<NodeType>;
export type GraphNode = CheckedNode<NodeType>;

export const refOf = ({ node, port }: PortRef): string => `${node}.${port}`;

/** Where an input comes from in a phase. */
export const sourcesIn = (input: CheckedInput, phase: string): readonly PortRef[] =>
  input.sources[phase] ?? input.sources['*'] ?? [];

/** Nodes that a node reads in a phase, or in any phase when none is given. */
export function producers(graph: Graph, node: GraphNode, phase?: string): GraphNode[] {
  const refs = node.inputs.flatMap((input) =>
    phase === undefined ? Object.values(input.sources).flat() : sourcesIn(input, phase),
  );
  return [...new Set(refs.map((ref) => ref.node))].map((name) => graph.byName.get(name)!);
}

/** Names of the given nodes and of all nodes before them, as far as `follow` says yes to the step from a node to one it reads. */
export function ancestors(
  graph: Graph,
  from: Iterable<GraphNode>,
  phase?: string,
  follow: (node: GraphNode, producer: GraphNode) => boolean = () => true,
): Set<string> {
  const seen = new Set<string>();
  const stack = [...from];
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (seen.has(node.name)) continue;
    seen.add(node.name);
    for (const producer of producers(graph, node, phase)) if (follow(node, producer)) stack.push(producer);
  }
  return seen;
}

/** The nodes that make a collator's samples, the collator last: dataset, transforms, collator. */
export function sampleChain(graph: Graph, collator: GraphNode): GraphNode[] {
  const chain = [collator];
  for (let [node] = producers(graph, collator); node; [node] = producers(graph, node)) chain.unshift(node);
  return chain;
}

/** What models read from the rest of the graph, and what it reads of them: "batch.images", "head.scores". */
export function modelPorts(graph: Graph): string[] {
  const isModel = (name: string): boolean => graph.byName.get(name)?.declaration.role === 'model';
  const crossing = graph.nodes.flatMap((node) =>
    node.inputs
      .flatMap((input) => Object.values(input.sources).flat())
      .filter((source) => isModel(source.node) !== isModel(node.name))
      .map(refOf),
  );
  return [...new Set(crossing)];
}

const BATCH_ROLES: ReadonlySet<string> = new Set(['model', 'compute', 'target', 'loss', 'meter', 'bank', 'optimizer']);

/** Runs in the rank, per batch. */
export const runsPerBatch = (node: GraphNode): boolean => BATCH_ROLES.has(node.declaration.role);

/** Yields once-values: feature banks, artifacts, evaluators. */
export const isOnce = (node: GraphNode): boolean =>
  node.declaration.role === 'bank' || node.declaration.role === 'artifact' || node.declaration.role === 'evaluator';

/** Optimizers of a phase. */
export const optimizersIn = (graph: Graph, phase: string): GraphNode[] =>
  graph.nodes.filter((node) => node.declaration.role === 'optimizer' && node.phases.includes(phase));

/** Phases of the epoch that train. */
export const trainingPhases = (graph: Graph): string[] =>
  graph.run.phases.filter((phase) => optimizersIn(graph, phase).length > 0);
