/** Nodes that some program or once-step of a plan runs. */
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
  return plan.graph.nodes.filter(({ name }) => used.has(name));
}
