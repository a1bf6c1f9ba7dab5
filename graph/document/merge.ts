import { didYouMean } from '../problem.ts';
import { type Dict, dict, list, type Tree, text, withEntry } from './located.ts';
import type { Mistakes } from './mistakes.ts';
import { isNull } from './structure.ts';

/**
 * Two documents → one: objects merge, lists and scalars replace, the later wins. Two exceptions, where what an object
 * is has changed and its other keys would no longer fit: a node whose `type` differs, and an inline node (such as a
 * learning rate's) whose `schedule` differs, replace the earlier one whole.
 */
export function mergeDocuments(earlier: Dict, later: Dict, mistakes: Mistakes): Dict {
  const known = earlier.entries.get('nodes');
  const removed = later.entries.get('nodes');
  if (removed?.kind === 'dict') checkRemovals(removed, known?.kind === 'dict' ? known : undefined, mistakes);
  return mergeDicts(earlier, later, []);
}

function mergeDicts(earlier: Dict, later: Dict, path: readonly string[]): Dict {
  const entries = new Map(earlier.entries);
  for (const [key, value] of later.entries) {
    const old = entries.get(key);
    entries.set(key, old ? mergeTrees(old, value, [...path, key]) : value);
  }
  return dict(entries, later.origin, later.key);
}

function mergeTrees(earlier: Tree, later: Tree, path: readonly string[]): Tree {
  if (earlier.kind !== 'dict' || later.kind !== 'dict') return later;
  const isNode = path.length === 2 && path[0] === 'nodes';
  if ((isNode && differs(earlier, later, 'type')) || differs(earlier, later, 'schedule')) return later;
  return mergeDicts(earlier, later, path);
}

function differs(earlier: Dict, later: Dict, key: string): boolean {
  const before = text(earlier.entries.get(key));
  const after = text(later.entries.get(key));
  return before !== undefined && after !== undefined && before !== after;
}

/** A null that removes a node which is not there is a misspelt name. */
export function checkRemovals(nodes: Dict, known: Dict | undefined, mistakes: Mistakes): void {
  for (const [name, node] of nodes.entries) {
    if (!isNull(node) || known?.entries.has(name)) continue;
    const cure = didYouMean(name, [...(known?.entries.keys() ?? [])]);
    mistakes.add(
      node.key ?? node,
      `nodes.${name}`,
      'null removes a node of a document that is extended; none has this name',
      cure,
    );
  }
}

/** Takes out the nodes and hooks that were set to null. */
export function dropRemoved(document: Dict): Dict {
  let result = document;
  const nodes = document.entries.get('nodes');
  if (nodes?.kind === 'dict') {
    const kept = [...nodes.entries].filter(([, node]) => !isNull(node));
    result = withEntry(result, 'nodes', dict(new Map(kept), nodes.origin, nodes.key));
  }
  const hooks = document.entries.get('hooks');
  if (hooks?.kind === 'list') {
    const kept = hooks.items.filter((hook) => !isNull(hook));
    result = withEntry(result, 'hooks', list(kept, hooks.origin, hooks.key));
  } else if (hooks && isNull(hooks)) result = withEntry(result, 'hooks', undefined);
  return result;
}
