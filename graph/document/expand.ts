import { didYouMean } from '../problem.ts';
import { chainMembers } from './chain.ts';
import { addCopies, copiedBy, type WrittenCopy } from './copies.ts';
import { copiedNames, isCopy } from './copy.ts';
import { type Dict, dict, scalar, type Tree, text } from './located.ts';
import type { Mistakes } from './mistakes.ts';
import { checkNodeForm } from './node-form.ts';
import { expandGraph, type OpenGraph } from './subgraph.ts';
import { joinReference, type Level, mapWires, splitReference } from './wires.ts';

/** What stands for several nodes: a chain, a graph used as a node, or copies of models. */
interface Group {
  readonly members: () => readonly string[];
  /** The reference that one to the group's port means, undefined when it has no such port. */
  readonly output: (port: string | undefined) => string | undefined;
  readonly ports: readonly string[];
}

/**
 * Takes chains, graphs and copies of models apart. A reference to a chain means its last member, one to copies the last
 * of them; one to a graph means the node behind the declared output, the first one for the graph's bare name. `of` that
 * names a chain or graph means all its members.
 * @param trail the files of the graphs that are being expanded inside each other
 */
async function expandLevel(
  nodes: ReadonlyMap<string, Tree>,
  open: OpenGraph,
  mistakes: Mistakes,
  trail: readonly string[],
): Promise<Level> {
  const expand = (inside: ReadonlyMap<string, Tree>, inner: readonly string[]) =>
    expandLevel(inside, open, mistakes, inner);
  const groups = new Map<string, Group>();
  const flat = new Map<string, Dict>();
  const copies = new Map<string, WrittenCopy>();

  const isFree = (name: string, node: Dict): boolean => {
    const free = !flat.has(name) && !groups.has(name);
    if (!free)
      mistakes.add(node.key ?? node, name, 'a member of a chain or graph has this name too', 'Rename one of them');
    return free;
  };
  const place = async (name: string, node: Tree): Promise<void> => {
    if (node.kind !== 'dict' || !isFree(name, node)) return;
    checkNodeForm(name, node, mistakes);
    const type = text(node.entries.get('type'));
    if (type === 'chain') {
      const members = chainMembers(name, node, mistakes);
      const last = [...members.keys()].at(-1);
      const output = (port: string | undefined) => last && joinReference(last, port);
      groups.set(name, { members: () => [...members.keys()], output, ports: [] });
      for (const [memberName, member] of members) await place(memberName, member);
    } else if (type === 'graph') {
      const graph = await expandGraph(name, node, { open, expand, mistakes, trail });
      const ports = [...graph.outputs.keys()];
      const output = (port: string | undefined) => graph.outputs.get(port ?? ports[0]!);
      groups.set(name, { members: () => [...graph.nodes.keys()], output, ports });
      for (const [memberName, member] of graph.nodes) if (isFree(memberName, member)) flat.set(memberName, member);
    } else if (isCopy(type)) {
      const of = copiedNames(name, node, mistakes);
      const members = () => copied(name).map((member) => `${name}/${member}`);
      const output = (port: string | undefined) => {
        const last = members().at(-1);
        return last && joinReference(last, port);
      };
      groups.set(name, { members, output, ports: [] });
      copies.set(name, { node, of });
    } else flat.set(name, node);
  };
  const copied = (name: string) => copiedBy(name, copies, (group) => groups.get(group)?.members());
  for (const [name, node] of nodes) await place(name, node);

  const resolve = (reference: Tree, where: string): Tree => {
    const written = text(reference);
    if (written === undefined) return reference;
    const { node, port } = splitReference(written);
    const group = groups.get(node);
    if (!group) return reference;
    const target = group.output(port);
    if (target !== undefined) return resolve(scalar(target, reference.origin, reference.key), where);
    // a group without members has its mistake reported already
    if (group.members().length > 0) {
      const message = port === undefined ? `graph ${node} declares no outputs` : `graph ${node} has no output ${port}`;
      mistakes.of('wiring').add(reference, where, message, didYouMean(port ?? '', group.ports));
    }
    return reference;
  };
  const membersOf = (name: string): readonly string[] => groups.get(name)?.members().flatMap(membersOf) ?? [name];
  const rewire = (name: string, node: Dict): Dict =>
    mapWires(node, (reference, port) => resolve(reference, `${name}.${port}`), membersOf);
  const rewired = new Map([...flat].map(([name, node]) => [name, rewire(name, node)] as const));
  const known = () => [...flat.keys(), ...groups.keys()];
  addCopies(rewired, { copies, copied, rewire, isFree, known, mistakes });
  return { nodes: rewired, resolve };
}

/** The document with all its chains and graphs taken apart. */
export async function expandDocument(
  document: Dict,
  open: OpenGraph,
  mistakes: Mistakes,
  file: string | undefined,
): Promise<Dict> {
  const nodes = document.entries.get('nodes');
  if (nodes?.kind !== 'dict') return document;
  const level = await expandLevel(nodes.entries, open, mistakes, file === undefined ? [] : [file]);
  const entries = new Map(document.entries).set('nodes', dict(level.nodes, nodes.origin, nodes.key));
  return dict(entries, document.origin, document.key);
}
