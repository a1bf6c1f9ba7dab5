import { didYouMean } from '../problem.ts';
import { type Dict, dict, scalar, type Tree, text } from './located.ts';
import type { Mistakes } from './mistakes.ts';
import { kindOf } from './structure.ts';

const KEYS = ['type', 'from', 'nodes', 'phase', 'stream'];
const MEMBER_NAME = /^[A-Za-z0-9_-]+$/;

/**
 * `{"type": "chain", "from": …, "nodes": […]}` → its members by name: `views/0`, `views/1`, … or `views/<name>` where a
 * member has a "name". Each member takes the one before it as its primary input, the first takes the chain's `from`;
 * `phase` and `stream` of the chain hold for members that say nothing else. Empty when the chain has a mistake.
 */
export function chainMembers(name: string, chain: Dict, mistakes: Mistakes): Map<string, Dict> {
  const found = new Map<string, Dict>();
  for (const [key, value] of chain.entries) {
    if (!KEYS.includes(key))
      mistakes.add(value.key ?? value, `${name}.${key}`, 'a chain has no such key', didYouMean(key, KEYS));
  }
  const nodes = chain.entries.get('nodes');
  if (nodes?.kind !== 'list' || nodes.items.length === 0) {
    const what = nodes
      ? `has ${kindOf(nodes)}${nodes.kind === 'list' ? ' without members' : ''} as "nodes"`
      : 'has no "nodes"';
    mistakes.add(nodes ?? chain.key ?? chain, name, `the chain ${what}`, 'List the nodes in their order');
    return found;
  }
  let previous: Tree | undefined = chain.entries.get('from');
  for (const [index, member] of nodes.items.entries()) {
    const full = `${name}/${memberName(member) ?? index}`;
    if (!checkMember(full, member, found, mistakes)) continue;
    const entries = new Map(member.entries);
    entries.delete('name');
    if (previous) entries.set('from', previous);
    for (const key of ['phase', 'stream']) {
      const shared = chain.entries.get(key);
      if (shared && !entries.has(key)) entries.set(key, shared);
    }
    found.set(full, dict(entries, member.origin, member.key));
    previous = scalar(full, member.origin, member.key);
  }
  return found;
}

function memberName(member: Tree): string | undefined {
  return member.kind === 'dict' ? text(member.entries.get('name')) : undefined;
}

function checkMember(full: string, member: Tree, found: ReadonlyMap<string, Dict>, mistakes: Mistakes): member is Dict {
  if (member.kind !== 'dict') {
    mistakes.add(member, full, `is ${kindOf(member)}, not a node`, 'Write { "type": … }');
    return false;
  }
  const from = member.entries.get('from');
  if (from)
    mistakes.add(from.key ?? from, `${full}.from`, 'a member of a chain takes the one before it', 'Remove "from"');
  const name = member.entries.get('name');
  if (name && !MEMBER_NAME.test(text(name) ?? '')) {
    mistakes.add(name, `${full}.name`, 'is no name for a member', 'A name holds letters, digits, _ and -');
  }
  const other = found.get(full);
  if (other) {
    const line = other.origin.place?.line;
    mistakes.add(
      name ?? member,
      full,
      `two members have this name${line ? `; the first in line ${line}` : ''}`,
      'Rename one',
    );
  }
  return !from && !other;
}
