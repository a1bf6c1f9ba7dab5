import { type Dict, dict, type List, type Origin, type Tree, text } from './located.ts';
import { child, parsePath } from './path.ts';

/** A document's own key, else a knob's name, with members of chains (`nodes.views/0`, `nodes.views/crop`) found. */
export function locatePath(tree: Dict, written: string): readonly string[] {
  const path = parsePath(written);
  const knobs = tree.entries.get('knobs');
  if (!tree.entries.has(path[0]!) && knobs && child(knobs, path[0]!)) return ['knobs', ...path];
  const nodes = tree.entries.get('nodes');
  if (path[0] !== 'nodes' || path.length < 2 || nodes?.kind !== 'dict') return path;
  return ['nodes', ...(memberPath(nodes, path[1]!) ?? [path[1]!]), ...path.slice(2)];
}

function memberPath(nodes: Dict, name: string): string[] | undefined {
  if (nodes.entries.has(name)) return undefined;
  const parts = name.split('/');
  const path = [parts[0]!];
  let node = nodes.entries.get(parts[0]!);
  for (const part of parts.slice(1)) {
    const members = node && child(node, 'nodes');
    if (members?.kind !== 'list') return undefined;
    const named = members.items.findIndex((member) => text(child(member, 'name')) === part);
    const index = named >= 0 ? String(named) : part;
    node = child(members, index);
    path.push('nodes', index);
  }
  return node && path;
}

/** Sets a value, making the objects on the way that are missing. */
export function setAt<T extends Dict | List>(
  tree: T,
  [key, ...rest]: readonly string[],
  value: Tree,
  origin: Origin,
): T {
  const below = child(tree, key!) ?? dict(new Map(), origin, origin.place);
  const changed = rest.length === 0 || below.kind === 'scalar' ? value : setAt(below, rest, value, origin);
  if (tree.kind === 'dict') return { ...tree, entries: new Map(tree.entries).set(key!, changed) };
  const items = [...tree.items];
  items[Number(key)] = changed;
  return { ...tree, items };
}
