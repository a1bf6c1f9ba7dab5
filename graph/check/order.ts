/** The graph of nodes as graphlib holds it, and an order in which every node comes after those it takes values from. */
import { Graph } from '@dagrejs/graphlib';
import type { Draft, Drafts } from './draft.ts';
import type { Report } from './report.ts';

/** Names of the nodes that `draft` takes values from, each once, in the order of its inputs. */
export function sourcesOf(draft: Draft): string[] {
  const names = new Set<string>();
  for (const { sources } of draft.inputs) {
    for (const refs of Object.values(sources)) for (const { node } of refs) names.add(node);
  }
  return [...names];
}

/** An edge per pair of nodes that are connected, as the values flow. */
export function dependencyGraph(drafts: Drafts): Graph {
  const graph = new Graph({ directed: true });
  for (const name of drafts.keys()) graph.setNode(name);
  for (const draft of drafts.values()) for (const source of sourcesOf(draft)) graph.setEdge(source, draft.name);
  return graph;
}

/**
 * Depth first from the nodes in document order, so that what does not depend on each other stays in document order.
 * Cycles are reported node by node; their nodes are in the result all the same. graphlib's own search for cycles is
 * recursive and would overflow the call stack on a long one.
 */
export function orderNodes(drafts: Drafts, report: Report): Draft[] {
  const graph = dependencyGraph(drafts);
  const sources = (name: string): string[] => graph.predecessors(name) ?? [];
  const order: Draft[] = [];
  const state = new Map<string, 'open' | 'done'>();
  for (const root of drafts.values()) {
    if (state.has(root.name)) continue;
    // own stack: a chain may be longer than the call stack allows
    const stack = [{ draft: root, sources: sources(root.name), next: 0 }];
    state.set(root.name, 'open');
    while (stack.length > 0) {
      const top = stack.at(-1)!;
      const source = top.sources[top.next++];
      if (source === undefined) {
        state.set(top.draft.name, 'done');
        order.push(top.draft);
        stack.pop();
      } else if (state.get(source) === 'open') {
        const names = stack.map(({ draft }) => draft.name);
        reportCycle(names.slice(names.indexOf(source)), drafts, report);
      } else if (!state.has(source)) {
        const draft = drafts.get(source)!;
        state.set(source, 'open');
        stack.push({ draft, sources: sources(draft.name), next: 0 });
      }
    }
  }
  return order;
}

/** @param open nodes of the cycle, each taking a value from the next, the last from the first */
function reportCycle(open: readonly string[], drafts: Drafts, report: Report): void {
  // as the values flow, beginning with the node that comes first in the document
  const flow = [...open].reverse();
  const position = new Map([...drafts.keys()].map((name, i) => [name, i]));
  const first = flow.reduce((best, name) => (position.get(name)! < position.get(best)! ? name : best));
  const cycle = [...flow.slice(flow.indexOf(first)), ...flow.slice(0, flow.indexOf(first))];
  const steps = cycle.map((name, i) => {
    const next = cycle[(i + 1) % cycle.length]!;
    const input = drafts.get(next)!.inputs.find(({ sources }) => feeds(sources, name))!;
    const ref = Object.values(input.sources)
      .flat()
      .find(({ node }) => node === name)!;
    return `${name}.${ref.port} → ${next}.${input.port}`;
  });
  report.add({
    layer: 'wiring',
    path: ['nodes', first],
    where: first,
    message: `these nodes wait for each other: ${shortened(steps).join(', ')}`,
    cure: 'Take one of these connections out',
  });
}

/** Of a long list the begin, the end, and how many are in between. */
function shortened(steps: readonly string[]): readonly string[] {
  return steps.length <= 40 ? steps : [...steps.slice(0, 39), `… ${steps.length - 40} more …`, steps.at(-1)!];
}

function feeds(sources: Draft['inputs'][number]['sources'], name: string): boolean {
  return Object.values(sources).some((refs) => refs.some(({ node }) => node === name));
}
