import { APPLY, MOMENTUM } from '../forms.ts';
import { FOLLOWS } from '../model/keys.ts';
import { didYouMean } from '../problem.ts';
import { type Dict, dict, list, type Origin, scalar, type Tree, text } from './located.ts';
import type { Mistakes } from './mistakes.ts';
import { kindOf } from './structure.ts';
import { joinReference, splitReference } from './wires.ts';

const WIRES = ['type', 'of', 'inputs', 'from', 'phase', 'stream'];
const FOLLOWING = Object.keys(FOLLOWS.properties).filter((key) => key !== 'node');
/** What a copy has not from its original: where values come from and where they begin. */
const OWN = ['inputs', 'from', 'phase', 'stream', 'weights', 'weights_prefix', 'shares', 'follows'];

export const isCopy = (type: string | undefined): boolean => type === APPLY || type === MOMENTUM;

/** The names in `of`; none when it is missing or no list of names, which is reported. */
export function copiedNames(name: string, copy: Dict, mistakes: Mistakes): readonly string[] {
  const of = copy.entries.get('of');
  const items = of?.kind === 'list' ? of.items : of ? [of] : [];
  const names = items.flatMap((item) => text(item) ?? []);
  if (names.length > 0 && names.length === items.length) return names;
  const what = of ? `is ${kindOf(of)}${of.kind === 'list' ? ' without names' : ''}` : 'is missing';
  mistakes.add(of ?? copy.key ?? copy, `${name}.of`, `${what}: it names the nodes to copy`, 'Write "of": ["trunk"]');
  return [];
}

/**
 * `{"type": "model/momentum", "of": ["trunk", "head"], "inputs": {"images": "batch.key"}, …}` → `<name>/trunk` and
 * `<name>/head`: the params of the originals, references among them kept among the copies, what came from outside
 * replaced by the inputs given here. A copy says whose parameters it `shares` or `follows`.
 * @param originals nodes by name, their references resolved
 */
export function copyNodes(
  name: string,
  copy: Dict,
  originals: ReadonlyMap<string, Dict>,
  mistakes: Mistakes,
): Map<string, Dict> {
  const momentum = text(copy.entries.get('type')) === MOMENTUM;
  const known = momentum ? [...WIRES, ...FOLLOWING] : WIRES;
  for (const [key, value] of copy.entries) {
    if (known.includes(key)) continue;
    const cure = didYouMean(key, known);
    mistakes.add(value.key ?? value, `${name}.${key}`, `${momentum ? MOMENTUM : APPLY} has no such key`, cure);
  }
  const open = new Map<string, Set<string>>();
  const copies = new Map<string, Map<string, Tree>>();
  for (const [member, original] of originals) {
    const { entries } = original;
    const made = new Map([...entries].filter(([key]) => !OWN.includes(key)));
    const leader = text(entries.get('shares')) ?? member;
    if (momentum) {
      if (entries.has('follows'))
        mistakes.add(copy.entries.get('of'), name, `${member} is a momentum copy itself`, 'Name what it follows');
      made.delete('frozen');
      made.set('follows', following(leader, copy));
    } else {
      if (entries.has('follows')) made.set('frozen', scalar('parameters', copy.origin));
      made.set('shares', scalar(leader, copy.origin, copy.key));
    }
    for (const key of ['phase', 'stream']) if (copy.entries.has(key)) made.set(key, copy.entries.get(key)!);
    open.set(member, keepInside(name, original, made, originals));
    copies.set(member, made);
  }
  connect(name, copy, open, copies, mistakes);
  return new Map([...copies].map(([member, made]) => [`${name}/${member}`, dict(made, copy.origin, copy.key)]));
}

function following(leader: string, { entries, origin, key }: Dict): Dict {
  const said = FOLLOWING.flatMap((setting) => {
    const value = entries.get(setting);
    return value ? [[setting, value] as const] : [];
  });
  return dict(new Map<string, Tree>([['node', scalar(leader, origin, key)], ...said]), origin, key);
}

/** Puts in the wires that lead to other copies; returns the ports (or "from") whose wires led outside. */
function keepInside(
  name: string,
  { entries }: Dict,
  made: Map<string, Tree>,
  originals: ReadonlyMap<string, Dict>,
): Set<string> {
  const open = new Set<string>();
  const inside = (wire: Tree): Tree | undefined => {
    const parts = references(wire);
    if (!parts.every((part) => originals.has(splitReference(text(part) ?? '').node))) return undefined;
    return redirected(wire, name);
  };
  const from = entries.get('from');
  if (from) {
    const kept = inside(from);
    if (kept) made.set('from', kept);
    else open.add('from');
  }
  const inputs = entries.get('inputs');
  if (inputs?.kind !== 'dict') return open;
  const kept = new Map<string, Tree>();
  for (const [port, wire] of inputs.entries) {
    const redirect = inside(wire);
    if (redirect) kept.set(port, redirect);
    else open.add(port);
  }
  if (kept.size > 0) made.set('inputs', dict(kept, inputs.origin, inputs.key));
  return open;
}

function references(wire: Tree): readonly Tree[] {
  if (wire.kind === 'scalar') return [wire];
  return wire.kind === 'list' ? wire.items : [...wire.entries.values()].flatMap(references);
}

function redirected(wire: Tree, name: string): Tree {
  const { origin, key } = wire;
  if (wire.kind === 'scalar') {
    const { node, port } = splitReference(String(wire.value));
    return scalar(joinReference(`${name}/${node}`, port), origin, key);
  }
  if (wire.kind === 'list')
    return list(
      wire.items.map((item) => redirected(item, name)),
      origin,
      key,
    );
  return dict(new Map([...wire.entries].map(([phase, of]) => [phase, redirected(of, name)])), origin, key);
}

/** Gives the inputs of the copy to the members that had such an input from outside, `from` to the first that had one. */
function connect(
  name: string,
  copy: Dict,
  open: ReadonlyMap<string, ReadonlySet<string>>,
  copies: ReadonlyMap<string, Map<string, Tree>>,
  mistakes: Mistakes,
): void {
  const wired = (member: string, port: string, wire: Tree, origin: Origin): void => {
    const made = copies.get(member)!;
    const before = made.get('inputs');
    made.set('inputs', dict(new Map(before?.kind === 'dict' ? before.entries : []).set(port, wire), origin));
  };
  const inputs = copy.entries.get('inputs');
  for (const [port, wire] of inputs?.kind === 'dict' ? inputs.entries : []) {
    const named = [...open].filter(([, ports]) => ports.has(port));
    const unnamed = [...open].filter(([, ports]) => ports.has('from'));
    const takers = named.length > 0 ? named : unnamed.slice(0, 1);
    for (const [member] of takers) wired(member, port, wire, inputs!.origin);
    if (takers.length > 0) continue;
    const ports = [...open.values()].flatMap((one) => [...one]);
    const cure = didYouMean(port, ports);
    mistakes.of('wiring').add(wire.key ?? wire, `${name}.${port}`, 'nothing that is copied takes this input', cure);
  }
  const from = copy.entries.get('from');
  const first = [...open].find(([, ports]) => ports.size > 0)?.[0] ?? [...copies.keys()][0];
  if (from && first !== undefined) copies.get(first)!.set('from', from);
}
