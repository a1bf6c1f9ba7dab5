/** Nodes that some program or once-step of a plan runs. */
import type { ModelKeys } from '../../graph/model/keys.ts';
import type { GraphNode } from './edges.ts';
import type { Plan } from './plan.ts';

export function usedNodes(plan: Plan): GraphNode[] {
  const used = new Set<string>();
  const steps = [...plan.once.before, ...plan.once.evaluate];
  const programs = [...plan.phases, ...steps.flatMap((step) => (step.kind === 'pass' ? [step.program] : []))];
  for (const program of programs) {
    for (const step of program.steps) if (step.kind === 'node') used.add(step.node.name);
    for (const { node } of program.optimizers) used.add(node.name);
  }
  for (const step of steps) if (step.kind === 'node') used.add(step.node.name);
  // whose parameters a model shares or follows is there too
  for (const { name, params } of plan.graph.nodes.toReversed()) {
    const { shares, follows } = params as ModelKeys;
    if (!used.has(name)) continue;
    if (shares !== undefined) used.add(shares);
    if (follows) used.add(follows.node);
  }
  return plan.graph.nodes.filter(({ name }) => used.has(name));
}
