/** Outputs that hooks name in their params. They are computed and stay until the step ends. */
import type { Graph } from './edges.ts';

/** Refs "node.port", each once, in the order of the hooks. */
export function hookRefs(graph: Graph): string[] {
  const found = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value === 'string') {
      const dot = value.lastIndexOf('.');
      const node = dot > 0 ? graph.byName.get(value.slice(0, dot)) : undefined;
      if (node && Object.hasOwn(node.outputs, value.slice(dot + 1))) found.add(value);
    } else if (typeof value === 'object' && value !== null) {
      for (const part of Object.values(value)) visit(part);
    }
  };
  for (const hook of graph.hooks) visit(hook.params);
  return [...found];
}
