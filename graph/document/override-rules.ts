import { didYouMean, nearest } from '../problem.ts';
import { toJson } from './canonical.ts';
import { type Dict, dict, fromPlain, type Tree, text, toPlain, withEntry } from './located.ts';
import type { OverrideText } from './override-text.ts';
import { child, follow, formatPath } from './path.ts';
import { kindOf, SECTIONS } from './structure.ts';

/** Sections that shape a document while it is read come too late on the command line. */
const ADDABLE = SECTIONS.filter((section) => !['$schema', 'format', 'extends'].includes(section)) as readonly string[];

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

/** Reports why an override cannot be; answers undefined. */
export type Fail = (where: string | undefined, message: string, cure?: string) => undefined;

/** Whether `+path=value` may be. */
export function mayAdd(tree: Dict, path: readonly string[], old: Tree | undefined, fail: Fail): boolean | undefined {
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

/** Whether `path=value` may be. */
export function maySet(
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
  // a document without "run" has it with its defaults
  const withRun = tree.entries.has('run') ? tree : withEntry(tree, 'run', dict(new Map(), tree.origin));
  const { deepest, depth } = follow(withRun, path);
  if (depth >= 1 && deepest.kind === 'dict' && known.isKnownPath?.(path, ownerOf(tree, path))) return true;
  const parent = path.slice(0, depth);
  const candidates = [...keysOf(deepest), ...(known.knownKeys?.(parent, ownerOf(tree, parent)) ?? [])];
  const knobs = tree.entries.get('knobs');
  if (depth === 0 && knobs) candidates.push(...keysOf(knobs));
  if (path.length === 1) candidates.push(...pathsIn(tree, 3));
  const near = nearest(path[depth]!, candidates);
  const hint = depth === 0 ? 'Name a knob, or a path such as nodes.loss.temperature' : `Write +${written}=… to add it`;
  const cure = near === undefined ? hint : `Did you mean "${near}"?`;
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
