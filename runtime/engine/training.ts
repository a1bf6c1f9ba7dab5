/** Which models are trained, and where gradients flow. */
import type { ModelKeys } from '../model-keys.ts';
import { ancestors, type Graph, type GraphNode, optimizersIn, producers, trainingPhases } from './edges.ts';

/** By its key, or because its layers say so. */
export const isFrozen = (node: GraphNode): boolean => {
  const { frozen } = node.params as ModelKeys;
  if (frozen === true || frozen === 'parameters') return true;
  return node.model !== undefined && !node.model.parameters.some(({ trainable }) => trainable);
};

const carriesGradient = (_node: GraphNode, producer: GraphNode): boolean =>
  producer.declaration.role === 'model' ||
  producer.declaration.role === 'compute' ||
  producer.declaration.role === 'loss';

/** Names of the models that an optimizer trains: upstream of its loss, not behind a target, not frozen. */
export function trainedBy(graph: Graph, optimizer: GraphNode, phase: string): string[] {
  const upstream = ancestors(graph, [optimizer], phase, carriesGradient);
  return graph.nodes
    .filter((node) => upstream.has(node.name) && node.declaration.role === 'model' && !isFrozen(node))
    .map((node) => node.name);
}

/** Names of all models that any training phase of the run changes. */
export function trainedModels(graph: Graph): Set<string> {
  return new Set(
    trainingPhases(graph).flatMap((phase) =>
      optimizersIn(graph, phase).flatMap((optimizer) => trainedBy(graph, optimizer, phase)),
    ),
  );
}

/** Names of the nodes of a phase whose outputs depend on a trained parameter by a path that carries gradient. */
export function gradientNodes(graph: Graph, phase: string, trained: ReadonlySet<string>): Set<string> {
  const found = new Set<string>();
  for (const node of graph.nodes) {
    if (!node.phases.includes(phase)) continue;
    const { role } = node.declaration;
    if (role !== 'model' && role !== 'compute' && role !== 'loss') continue;
    if (trained.has(node.name) || producers(graph, node, phase).some(({ name }) => found.has(name))) {
      found.add(node.name);
    }
  }
  return found;
}
