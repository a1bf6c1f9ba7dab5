import { basename, extname } from 'node:path';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { Problem } from '../problem.ts';
import { expandDocument } from './expand.ts';
import { shippedPipelines } from './find.ts';
import { FORMAT } from './format.ts';
import { putKnobs } from './knobs.ts';
import { type Loaded, load } from './load.ts';
import {
  type Dict,
  type JsonObject,
  type Origin,
  type Place,
  plainDict,
  scalar,
  type Tree,
  withEntry,
} from './located.ts';
import { dropRemoved } from './merge.ts';
import { Mistakes } from './mistakes.ts';
import type { NodeValue } from './node-form.ts';
import { openGraphs } from './open-graph.ts';
import { type AppliedOverride, applyOverrides } from './override.ts';
import type { KnownPaths } from './override-rules.ts';
import { follow, type Path, parsePath } from './path.ts';
import { readObject } from './program.ts';
import { checkStructure } from './structure.ts';

export interface ResolveOptions extends KnownPaths {
  /** Documents to merge after the document, in order. */
  readonly with?: readonly string[];
  /** `key=value` and `+key=value`, in order. */
  readonly overrides?: readonly string[];
  /** The folder of the pipelines that are known by name; default: those that ship. */
  readonly pipelinesDir?: string;
  /** What the paths of the document and the parts are relative to; default: the working folder. */
  readonly cwd?: string;
}

/** A document with nothing left to look up: extended documents merged, knobs put in, chains and graphs taken apart. */
export interface ResolvedDocument {
  /** The path of the document asked for; absent for a document that a program built. */
  readonly file?: string;
  /** The document's own name, else its file's. */
  readonly name: string;
  readonly format: number;
  readonly nodes: Readonly<Record<string, NodeValue>>;
  readonly run: JsonObject;
  readonly hooks: readonly JsonObject[];
  readonly knobs: JsonObject;
  /** All of it as plain JSON, without knobs; resolving it again gives the same. */
  readonly value: JsonObject;
  /** Who said the value at a path; undefined when the document says nothing there (a default of the node type). */
  origin(path: Path): Origin | undefined;
  /** Where the value at a path stands, or the nearest value around it; undefined for a document built in a program. */
  locate(path: Path): Place | undefined;
  /** Where the key of the value stands; else as `locate`. */
  locateKey(path: Path): Place | undefined;
  readonly overrides: readonly AppliedOverride[];
  /** Not wrong, but worth saying. */
  readonly notes: readonly Problem[];
}

/** Reads a document by path or by the name of a shipped pipeline. */
export async function resolveDocument(
  fileOrName: string,
  options: ResolveOptions = {},
): Promise<Either<Problem[], ResolvedDocument>> {
  return resolveTree(fileOrName, options);
}

/** The same for a document that a program built. Its `extends` is relative to `cwd`. */
export async function resolveObject(
  value: unknown,
  options: ResolveOptions = {},
): Promise<Either<Problem[], ResolvedDocument>> {
  const tree = readObject(value);
  return isLeft(tree) ? tree : resolveTree(tree.right, options);
}

async function resolveTree(
  document: string | Tree,
  options: ResolveOptions,
): Promise<Either<Problem[], ResolvedDocument>> {
  const folder = options.cwd ?? process.cwd();
  const pipelines = options.pipelinesDir ?? (await shippedPipelines());
  const loaded = await load({ document, folder, pipelines, parts: options.with });
  if (isLeft(loaded)) return loaded;
  const { file } = loaded.right;

  const mistakes = new Mistakes('schema');
  const { tree: overridden, applied } = applyOverrides(named(loaded.right), options.overrides ?? [], options, mistakes);
  checkStructure(overridden, mistakes);
  const { tree: filled, unused } = putKnobs(dropRemoved(overridden), mistakes);
  if (!mistakes.none) return left(mistakes.found);
  const open = openGraphs({ folder, pipelines, mistakes });
  const tree = await expandDocument(filled, open, mistakes, file);
  checkHooks(tree, mistakes);
  return mistakes.none ? right(finish(tree, file, applied, unused.map(noteUnused))) : left(mistakes.found);
}

/** A document without a name takes its file's. */
function named({ tree, file }: Loaded): Dict {
  if (tree.entries.has('name')) return tree;
  const name = file === undefined ? 'pipeline' : basename(file, extname(file));
  return withEntry(tree, 'name', scalar(name, tree.origin));
}

function checkHooks(tree: Dict, mistakes: Mistakes): void {
  const hooks = tree.entries.get('hooks');
  if (hooks?.kind !== 'list') return;
  for (const [index, hook] of hooks.items.entries()) {
    if (hook.kind === 'dict' && !hook.entries.has('type')) {
      mistakes.add(hook, `hooks.${index}`, 'the hook has no type', 'Add "type": "…"');
    }
  }
}

function noteUnused({ name, at }: { name: string; at: Tree }): Problem {
  const place = at.key ?? at.origin.place;
  return { layer: 'schema', ...place, where: `knobs.${name}`, message: 'nothing uses this knob' };
}

function finish(
  tree: Dict,
  file: string | undefined,
  overrides: readonly AppliedOverride[],
  notes: readonly Problem[],
): ResolvedDocument {
  // the schema's path is relative to the authored file, and knobs have done their work
  const { $schema: _schema, knobs = {}, ...rest } = plainDict(tree);
  const value: JsonObject = { format: FORMAT, ...rest };
  const nearestTo = (path: Path) => follow(tree, parsePath(path));
  const locate = (path: Path) => nearestTo(path).deepest.origin.place;
  return {
    file,
    name: value.name as string,
    format: FORMAT,
    nodes: (value.nodes ?? {}) as Record<string, NodeValue>,
    run: (value.run ?? {}) as JsonObject,
    hooks: (value.hooks ?? []) as JsonObject[],
    knobs: knobs as JsonObject,
    value,
    origin: (path) => nearestTo(path).found?.origin,
    locate,
    locateKey: (path) => nearestTo(path).found?.key ?? locate(path),
    overrides,
    notes,
  };
}
