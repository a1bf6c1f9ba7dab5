import { dirname, relative } from 'node:path';
import { didYouMean } from '../problem.ts';
import { connectInputs, OUTSIDE, openInputs, readOutputs, section } from './graph-ports.ts';
import { type Dict, dict, scalar, type Tree, text } from './located.ts';
import type { Mistakes } from './mistakes.ts';
import { kindOf } from './structure.ts';
import { type Level, mapWires, splitReference } from './wires.ts';

/** Reads the document that a graph node names, its knobs put in; undefined when it has problems (already reported). */
export type OpenGraph = (name: string, node: Dict, ref: Tree) => Promise<{ tree: Dict; file: string } | undefined>;

/** What the expansion of a graph needs: its document, and the expansion of the nodes in it. */
export interface Expansion {
  readonly open: OpenGraph;
  readonly expand: (nodes: ReadonlyMap<string, Tree>, trail: readonly string[]) => Promise<Level>;
  readonly mistakes: Mistakes;
  /** The files of the graphs that are being expanded inside each other. */
  readonly trail: readonly string[];
}

/** The nodes of a graph under their full names, and its declared outputs as references to them. */
export interface ExpandedGraph {
  readonly nodes: ReadonlyMap<string, Dict>;
  readonly outputs: ReadonlyMap<string, string>;
}

const KEYS = ['type', 'ref', 'inputs', 'from', 'knobs', 'phase', 'stream'];
const NOTHING: ExpandedGraph = { nodes: new Map(), outputs: new Map() };

/**
 * `{"type": "graph", "ref": "./head.json", "inputs": {…}, "knobs": {…}}` → the document's nodes as `<name>/<node>`.
 * The document declares `"inputs": {"features": ["mlp.features"]}` and `"outputs": {"embeddings": "mlp.embeddings"}`;
 * every declared input must be connected, `from` connects the first. `phase` and `stream` hold for nodes inside that
 * say nothing else.
 */
export async function expandGraph(
  name: string,
  node: Dict,
  { open, expand, mistakes, trail }: Expansion,
): Promise<ExpandedGraph> {
  for (const [key, value] of node.entries) {
    if (!KEYS.includes(key))
      mistakes.add(value.key ?? value, `${name}.${key}`, 'a graph node has no such key', didYouMean(key, KEYS));
  }
  const ref = node.entries.get('ref');
  if (!ref || text(ref) === undefined) {
    mistakes.add(
      ref ?? node,
      `${name}.ref`,
      ref ? `is ${kindOf(ref)}, not a path` : 'the graph names no document',
      'Write "ref": "./graph.json"',
    );
    return NOTHING;
  }
  const opened = await open(name, node, ref);
  if (!opened) return NOTHING;
  const { tree, file } = opened;
  if (trail.includes(file)) {
    const names = [...trail.slice(trail.indexOf(file)), file].map((link) => relative(dirname(trail[0]!), link));
    mistakes.add(ref, name, `the graph contains itself: ${names.join(' → ')}`);
    return NOTHING;
  }
  for (const section of ['run', 'hooks']) {
    const value = tree.entries.get(section);
    if (value)
      mistakes.add(
        value.key ?? value,
        section,
        `a graph that is used as a node has no ${section}`,
        `Remove "${section}" from ${relative(dirname(trail[0] ?? file), file)}`,
      );
  }
  const inside = section(tree, 'nodes');
  const declared = section(tree, 'inputs');
  const wires = connectInputs(name, node, declared, mistakes.of('wiring'));
  const connected = openInputs(inside, declared, mistakes.of('wiring'));
  const level = await expand(connected, [...trail, file]);
  const outputs = readOutputs(section(tree, 'outputs'), level, mistakes.of('wiring'));
  return {
    nodes: new Map([...level.nodes].map(([inner, value]) => [`${name}/${inner}`, settle(name, node, value, wires)])),
    outputs: new Map([...outputs].map(([port, reference]) => [port, `${name}/${reference}`])),
  };
}

/** An inner node under its outer name: references prefixed, inputs from outside put in. */
function settle(name: string, graph: Dict, inner: Dict, wires: ReadonlyMap<string, Tree>): Dict {
  const prefixed = mapWires(
    inner,
    (reference) => {
      const written = text(reference);
      if (written === undefined) return reference;
      const { node, port } = splitReference(written);
      if (node === OUTSIDE) return wires.get(port!) ?? reference;
      return scalar(`${name}/${written}`, reference.origin, reference.key);
    },
    (member) => [`${name}/${member}`],
  );
  const entries = new Map(prefixed.entries);
  for (const key of ['phase', 'stream']) {
    const shared = graph.entries.get(key);
    if (shared && !entries.has(key)) entries.set(key, shared);
  }
  return dict(entries, inner.origin, inner.key);
}
