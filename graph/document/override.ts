import { didYouMean, nearest } from '../problem.ts';
import { toJson } from './canonical.ts';
import { type Dict, dict, fromPlain, type List, type Origin, type Tree, text, toPlain } from './located.ts';
import type { Mistakes } from './mistakes.ts';
import { type OverrideText, parseOverride } from './override-text.ts';
import { child, follow, formatPath, parsePath } from './path.ts';
import { kindOf, SECTIONS } from './structure.ts';

/** Sections that shape a document while it is read come too late on the command line. */
const ADDABLE = SECTIONS.filter((section) => !['$schema', 'format', 'extends'].includes(section)) as readonly string[];

/** What an override did. */
export interface AppliedOverride {
  /** 1-based, as in "override 3". */
  readonly number: number;
  /** Where in the document. */
  readonly path: readonly string[];
  /** `epochs: 100 → 5`, to be shown. */
  readonly text: string;
}

/** A node, member of a chain, or hook, and the path inside it: {type: 'loss/swav', path: ['queue', 'length']}. */
export interface Owner {
  readonly type: string;
  readonly path: readonly string[];
}

/** Knowledge of node types and settings, which the document layer has not. Paths are from the document's root. */
export interface KnownPaths {
  /** Whether a path that is not in the document may be set: a param or setting with a default. */
  readonly isKnownPath?: (path: readonly string[], owner: Owner | undefined) => boolean;
  /** The keys that may stand below a path, for suggestions. */
  readonly knownKeys?: (parent: readonly string[], owner: Owner | undefined) => readonly string[];
}

/**
 * Applies `path=value` and `+path=value` in order. A path without dots may be a knob's name; a node path may name a
 * chain's member as `views/0`. `=` wants a path that exists or is known, and a value of the kind that was there
 * (null goes with every kind, and so does a text with a knob in it); `+` wants one that does not exist.
 */
export function applyOverrides(
  document: Dict,
  overrides: readonly string[],
  known: KnownPaths,
  mistakes: Mistakes,
): { tree: Dict; applied: AppliedOverride[] } {
  let tree = document;
  const applied: AppliedOverride[] = [];
  for (const [index, override] of overrides.entries()) {
    const origin: Origin = { source: 'override', place: { file: `override ${index + 1}` } };
    const fail = (where: string | undefined, message: string, cure?: string) => {
      mistakes.add(origin.place, where, message, cure);
      return undefined;
    };
    let parsed: OverrideText;
    try {
      parsed = parseOverride(override);
    } catch (error) {
      fail(
        undefined,
        (error as Error).message,
        'Write key=value, or +key=value to add a key; quote text that JSON would read otherwise',
      );
      continue;
    }
    const path = locatePath(tree, parsed.path);
    const old = follow(tree, path).found;
    const shown = path[0] === 'knobs' ? formatPath(path.slice(1)) : formatPath(path);
    const value = fromPlain(parsed.value, origin, old?.key ?? origin.place);
    const allowed = parsed.adds ? mayAdd(tree, path, old, fail) : maySet(tree, path, parsed, old, known, fail);
    if (!allowed) continue;
    tree = setAt(tree, path, value, origin);
    const change = old ? `${toJson(toPlain(old))} → ${toJson(parsed.value)}` : `added ${toJson(parsed.value)}`;
    applied.push({ number: index + 1, path, text: `${shown}: ${change}` });
  }
  return { tree, applied };
}

type Fail = (where: string | undefined, message: string, cure?: string) => undefined;

function mayAdd(tree: Dict, path: readonly string[], old: Tree | undefined, fail: Fail): boolean | undefined {
  const where = formatPath(path);
  if (old)
    return fail(where, `already is ${toJson(toPlain(old))}, so it cannot be added`, `Write ${where}=… without the +`);
  const { deepest, depth } = follow(tree, path);
  const newSection = depth === 0 && path.length <= 2;
  if (path.length === 1 || newSection) {
    if (ADDABLE.includes(path[0]!)) return true;
    return fail(where, 'no such section can be added', didYouMean(path[0]!, ADDABLE));
  }
  if (depth < path.length - 1)
    return fail(
      where,
      `there is no ${formatPath(path.slice(0, depth + 1))} to add to`,
      didYouMean(path[depth]!, keysOf(deepest)),
    );
  if (deepest.kind === 'scalar')
    return fail(where, `${formatPath(path.slice(0, -1))} is ${kindOf(deepest)}, nothing can be added to it`);
  if (deepest.kind === 'list' && path.at(-1) !== String(deepest.items.length)) {
    return fail(
      where,
      `a list of ${deepest.items.length} grows at its end`,
      `Write +${formatPath([...path.slice(0, -1), deepest.items.length])}=…`,
    );
  }
  return true;
}

function maySet(
  tree: Dict,
  path: readonly string[],
  { value, path: written }: OverrideText,
  old: Tree | undefined,
  known: KnownPaths,
  fail: Fail,
): boolean | undefined {
  const where = formatPath(path);
  if (old) {
    const fresh = fromPlain(value, old.origin);
    if (fits(old, fresh)) return true;
    const message = `is ${kindOf(old)}, ${toJson(toPlain(old))}; ${toJson(value)} is ${kindOf(fresh)}`;
    const quote = text(old) !== undefined && fresh.kind === 'scalar';
    return fail(
      where,
      message,
      quote ? `Write ${written}='"${value}"' for the text` : `If that is meant, write ${written}=null first`,
    );
  }
  const { deepest, depth } = follow(tree, path);
  if (depth >= 1 && deepest.kind === 'dict' && known.isKnownPath?.(path, ownerOf(tree, path))) return true;
  const parent = path.slice(0, depth);
  const candidates = [...keysOf(deepest), ...(known.knownKeys?.(parent, ownerOf(tree, parent)) ?? [])];
  const knobs = tree.entries.get('knobs');
  if (depth === 0 && knobs) candidates.push(...keysOf(knobs));
  if (path.length === 1) candidates.push(...pathsIn(tree, 3));
  const near = nearest(path[depth]!, candidates);
  const cure = near === undefined ? `Write +${written}=… to add it` : `Did you mean "${near}"?`;
  const what = depth === 0 ? `knob or section ${path[0]}` : `${path[depth]} in ${formatPath(parent)}`;
  return fail(where, `there is no ${what}`, cure);
}

/** The node, chain member or hook that a path leads into. */
function ownerOf(tree: Dict, path: readonly string[]): Owner | undefined {
  if (path[0] !== 'nodes' && path[0] !== 'hooks') return undefined;
  let length = 2;
  let type = typeAt(tree, path.slice(0, length));
  while (type === 'chain' && path[length] === 'nodes' && path.length >= length + 2) {
    length += 2;
    type = typeAt(tree, path.slice(0, length));
  }
  return type === undefined ? undefined : { type, path: path.slice(length) };
}

function typeAt(tree: Dict, path: readonly string[]): string | undefined {
  const { found } = follow(tree, path);
  return found && text(child(found, 'type'));
}

/** Whether a value may take the place of another: the same kind, or null or a text with a knob on either side. */
export function fits(old: Tree, fresh: Tree): boolean {
  const open = (tree: Tree) => tree.kind === 'scalar' && (tree.value === null || String(tree.value).includes('${'));
  return open(old) || open(fresh) || kindOf(old) === kindOf(fresh);
}

/** A document's own key, else a knob's name, with members of chains (`nodes.views/0`, `nodes.views/crop`) found. */
function locatePath(tree: Dict, written: string): readonly string[] {
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
function setAt<T extends Dict | List>(tree: T, [key, ...rest]: readonly string[], value: Tree, origin: Origin): T {
  const below = child(tree, key!) ?? dict(new Map(), origin, origin.place);
  const changed = rest.length === 0 || below.kind === 'scalar' ? value : setAt(below, rest, value, origin);
  if (tree.kind === 'dict') return { ...tree, entries: new Map(tree.entries).set(key!, changed) };
  const items = [...tree.items];
  items[Number(key)] = changed;
  return { ...tree, items };
}

/** Paths of values down to a depth: `temperature` is likely meant to be `nodes.loss.temperature`. */
function pathsIn(tree: Tree, depth: number): string[] {
  if (tree.kind !== 'dict' || depth === 0) return [];
  return [...tree.entries].flatMap(([key, value]) => [
    key,
    ...pathsIn(value, depth - 1).map((path) => `${key}.${path}`),
  ]);
}

function keysOf(tree: Tree): string[] {
  if (tree.kind === 'dict') return [...tree.entries.keys()];
  return tree.kind === 'list' ? tree.items.map((_, index) => String(index)) : [];
}
