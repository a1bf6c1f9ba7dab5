/** Which models are trained, and where gradients flow. */
import type { ModelKeys } from '../../graph/model/keys.ts';
import { ancestors, type Graph, type GraphNode, optimizersIn, producers, trainingPhases } from './edges.ts';

/** The node whose parameters a model uses: itself, unless it shares those of another. */
export const ownerOf = (node: GraphNode): string => (node.params as ModelKeys).shares ?? node.name;

/** By its key, because it follows another, or because its layers say so. */
export const isFrozen = (node: GraphNode): boolean => {
  const { frozen, follows } = node.params as ModelKeys;
  if (frozen === true || frozen === 'parameters' || follows) return true;
  return node.model !== undefined && !node.model.parameters.some(({ trainable }) => trainable);
};

const carriesGradient = (_node: GraphNode, producer: GraphNode): boolean =>
  producer.declaration.role === 'model' ||
  producer.declaration.role === 'compute' ||
  producer.declaration.role === 'loss';

/** Names of the models that an optimizer trains: upstream of its loss, not behind a target, not frozen. */
export function trainedBy(graph: Graph, optimizer: GraphNode, phase: string): string[] {
  const upstream = ancestors(graph, [optimizer], phase, carriesGradient);
  const trained = graph.nodes.filter(
    (node) => upstream.has(node.name) && node.declaration.role === 'model' && !isFrozen(node),
  );
  return [...new Set(trained.map(ownerOf))];
}

/** Names of all models that any training phase of the run changes. */
export function trainedModels(graph: Graph): Set<string> {
  return new Set(
    trainingPhases(graph).flatMap((phase) =>
      optimizersIn(graph, phase).flatMap((optimizer) => trainedBy(graph, optimizer, phase)),
    ),
  );
}

/** Names of the models whose parameters training changes: trained ones, those that share theirs, those that follow. */
export function changingModels(graph: Graph, trained: ReadonlySet<string>): Set<string> {
  const models = graph.nodes.filter(({ declaration }) => declaration.role === 'model');
  const owners = new Set([
    ...trained,
    ...models.flatMap(({ name, params }) => (trained.has((params as ModelKeys).follows?.node ?? '') ? [name] : [])),
  ]);
  return new Set(models.filter((node) => owners.has(ownerOf(node))).map(({ name }) => name));
}

/** Names of the nodes of a phase whose outputs depend on a trained parameter by a path that carries gradient. */
export function gradientNodes(graph: Graph, phase: string, trained: ReadonlySet<string>): Set<string> {
  const found = new Set<string>();
  for (const node of graph.nodes) {
    if (!node.phases.includes(phase)) continue;
    const { role } = node.declaration;
    if (role !== 'model' && role !== 'compute' && role !== 'loss') continue;
    const trains = role === 'model' && trained.has(ownerOf(node));
    if (trains || producers(graph, node, phase).some(({ name }) => found.has(name))) {
      found.add(node.name);
    }
  }
  return found;
}
