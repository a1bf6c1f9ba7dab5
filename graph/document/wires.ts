import { type Dict, dict, list, scalar, type Tree, text, withEntry } from './located.ts';

/** Nodes without chains and graphs among them, and how to read references to what was expanded. */
export interface Level {
  readonly nodes: ReadonlyMap<string, Dict>;
  /** Follows a reference to a chain or graph; reports a port that it does not have. */
  readonly resolve: (reference: Tree, where: string) => Tree;
}

/** `node.port` → its parts; `port` is undefined for the primary output. */
export function splitReference(reference: string): { node: string; port?: string } {
  const dot = reference.indexOf('.');
  return dot < 0 ? { node: reference } : { node: reference.slice(0, dot), port: reference.slice(dot + 1) };
}

export function joinReference(node: string, port: string | undefined): string {
  return port === undefined ? node : `${node}.${port}`;
}

/**
 * The node with every wire passed through `change`, and the nodes it names in `of`, `shares` and `follows` through
 * `members`. A wire is a reference, a list of them, or either by phase; `change` sees each reference and may answer any
 * wire.
 */
export function mapWires(
  node: Dict,
  change: (reference: Tree, port: string) => Tree,
  members: (name: string) => readonly string[],
): Dict {
  const entries = new Map(node.entries);
  const from = entries.get('from');
  if (from)
    entries.set(
      'from',
      mapWire(from, (reference) => change(reference, 'from')),
    );
  const inputs = entries.get('inputs');
  if (inputs?.kind === 'dict') {
    const wires = [...inputs.entries].map(
      ([port, wire]) => [port, mapWire(wire, (reference) => change(reference, port))] as const,
    );
    entries.set('inputs', dict(new Map(wires), inputs.origin, inputs.key));
  }
  const of = entries.get('of');
  if (of) entries.set('of', mapShared(of, members));
  const shares = entries.get('shares');
  if (shares) entries.set('shares', mapShared(shares, members));
  const follows = entries.get('follows');
  const leader = follows?.kind === 'dict' ? follows.entries.get('node') : undefined;
  if (follows?.kind === 'dict' && leader)
    entries.set('follows', withEntry(follows, 'node', mapShared(leader, members)));
  return dict(entries, node.origin, node.key);
}

function mapWire(wire: Tree, change: (reference: Tree) => Tree): Tree {
  if (wire.kind === 'scalar') return change(wire);
  if (wire.kind === 'list') return list(wire.items.map(change), wire.origin, wire.key);
  const phases = [...wire.entries].map(([phase, ofPhase]) => [phase, mapWire(ofPhase, change)] as const);
  return dict(new Map(phases), wire.origin, wire.key);
}

/** A name that stands for one node stays a text; one that stands for several makes a list. */
function mapShared(of: Tree, members: (name: string) => readonly string[]): Tree {
  const named = of.kind === 'list' ? of.items : [of];
  const nodes = named.flatMap((item) => {
    const name = text(item);
    return name === undefined ? [item] : members(name).map((member) => scalar(member, item.origin, item.key));
  });
  return of.kind === 'scalar' && nodes.length === 1 ? nodes[0]! : list(nodes, of.origin, of.key);
}
