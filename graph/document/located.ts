import { relative } from 'node:path';

export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

/** Deepest nesting of lists and objects in a document; what recurses over a document is safe below it. */
export const MAX_DEPTH = 200;

/** Where a text stands. `line` and `column` are 1-based; absent for an override, whose `file` is "override 3". */
export interface Place {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
}

/** Who said a value. */
export interface Origin {
  /** A file asked for or extended, a file merged by `--with`, the command line, or the calling program. */
  readonly source: 'document' | 'part' | 'override' | 'program';
  readonly place?: Place;
  /** The knobs the value was made from, each with the origin of its own value. */
  readonly knobs?: readonly { readonly name: string; readonly origin: Origin }[];
}

interface Located {
  readonly origin: Origin;
  /** Where the key that holds the value stands. */
  readonly key?: Place;
}

export interface Scalar extends Located {
  readonly kind: 'scalar';
  readonly value: null | boolean | number | string;
}

export interface List extends Located {
  readonly kind: 'list';
  readonly items: readonly Tree[];
}

export interface Dict extends Located {
  readonly kind: 'dict';
  readonly entries: ReadonlyMap<string, Tree>;
}

/** JSON in which every value knows its origin. Immutable, so that merged documents share what they did not change. */
export type Tree = Scalar | List | Dict;

export function scalar(value: Scalar['value'], origin: Origin, key?: Place): Scalar {
  return { kind: 'scalar', value, origin, key };
}

export function list(items: readonly Tree[], origin: Origin, key?: Place): List {
  return { kind: 'list', items, origin, key };
}

export function dict(entries: ReadonlyMap<string, Tree>, origin: Origin, key?: Place): Dict {
  return { kind: 'dict', entries, origin, key };
}

/** A copy of `parent` with `key` set, or removed when `value` is undefined. The order of keys is kept. */
export function withEntry(parent: Dict, key: string, value: Tree | undefined): Dict {
  const entries = new Map(parent.entries);
  if (value === undefined) entries.delete(key);
  else entries.set(key, value);
  return { ...parent, entries };
}

/** Every value of plain JSON gets the one origin. The caller vouches for a depth below `MAX_DEPTH`. */
export function fromPlain(value: Json, origin: Origin, key?: Place): Tree {
  if (Array.isArray(value)) {
    return list(
      value.map((item) => fromPlain(item, origin)),
      origin,
      key,
    );
  }
  if (typeof value !== 'object' || value === null) return scalar(value, origin, key);
  return dict(new Map(Object.entries(value).map(([name, item]) => [name, fromPlain(item, origin)])), origin, key);
}

export function toPlain(tree: Tree): Json {
  if (tree.kind === 'scalar') return tree.value;
  if (tree.kind === 'list') return tree.items.map(toPlain);
  return plainDict(tree);
}

export function plainDict(tree: Dict): JsonObject {
  const plain: JsonObject = {};
  for (const [key, item] of tree.entries) plain[key] = toPlain(item);
  return plain;
}

/** The string of a scalar string; undefined for anything else. */
export function text(tree: Tree | undefined): string | undefined {
  return tree?.kind === 'scalar' && typeof tree.value === 'string' ? tree.value : undefined;
}

/** `swav.json:12:7`, `override 3`, `program`; with the knobs that took part: `swav.json:12:7 (epochs: override 1)`. */
export function formatOrigin(origin: Origin, cwd?: string): string {
  const knobs = origin.knobs?.map(({ name, origin: from }) => `${name}: ${formatOrigin(from, cwd)}`).join(', ');
  return knobs ? `${formatPlace(origin, cwd)} (${knobs})` : formatPlace(origin, cwd);
}

function formatPlace({ source, place }: Origin, cwd?: string): string {
  if (!place) return source;
  const short = cwd && place.line !== undefined ? relative(cwd, place.file) : place.file;
  const file = short.startsWith('..') ? place.file : short;
  const where = [file, place.line, place.column].filter((part) => part !== undefined).join(':');
  return source === 'part' ? `part ${where}` : where;
}
