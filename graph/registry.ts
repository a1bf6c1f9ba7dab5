/** Where node types are found: those that ship, by the manifest, and those of plugins. Only what is asked for is imported. */
import { readFileSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { FORMS } from './forms.ts';
import { type Manifest, notANodeType } from './manifest.ts';
import { type NodeDeclaration, namesOf, type Role } from './node-type.ts';
import { nearest } from './problem.ts';

export interface RegistryEntry {
  readonly type: string;
  readonly role: Role;
  readonly aliases: readonly string[];
  readonly description: string;
  /** plugin file it comes from; absent for types that ship */
  readonly plugin?: string;
  /** URL of its module, for worker threads; absent for types that a program declared itself */
  readonly module?: string;
}

export interface Registry {
  /** by type or alias */
  find(name: string): RegistryEntry | undefined;
  /** Import the types (or aliases) asked for; unknown names are left out. Keys are as asked. */
  load(names: Iterable<string>): Promise<Map<string, NodeDeclaration>>;
  /** all types, or those whose id begins with "<kind>/", sorted */
  list(kind?: string): readonly RegistryEntry[];
  /** The same with the forms that stand for nodes (graph/forms.ts), which cannot be loaded. */
  listWithForms(kind?: string): readonly RegistryEntry[];
  /** For an unknown name: what may have been meant, or what there is of its kind. */
  suggest(name: string): string;
}

export interface RegistryOptions {
  /** files or folders whose default exports are node types or arrays of them */
  readonly plugins?: readonly string[];
  /** relative plugin paths start here; default the working directory */
  readonly cwd?: string;
  /** node types from a program; they win over those that ship */
  readonly types?: readonly NodeDeclaration[];
}

/** A plugin that cannot be used; the message says which file and why. */
export class PluginError extends Error {
  override readonly name = 'PluginError';
}

/** compiled modules end in .js, the sources in .ts */
const EXTENSION = extname(fileURLToPath(import.meta.url));
const PACKAGE = new URL('../', import.meta.url);

/** A registry over the types that ship, the given types and plugins. Throws a PluginError for a plugin it cannot use. */
export async function createRegistry(options: RegistryOptions = {}): Promise<Registry> {
  const shipped = JSON.parse(readFileSync(new URL('nodes/manifest.json', PACKAGE), 'utf8')) as Manifest;
  const entries = new Map<string, RegistryEntry>();
  const names = new Map<string, RegistryEntry>();
  const loaded = new Map<string, NodeDeclaration>();

  const add = (entry: RegistryEntry) => {
    entries.set(entry.type, entry);
    for (const name of [entry.type, ...entry.aliases]) names.set(name, entry);
  };
  for (const [type, { file, role, description, aliases = [] }] of Object.entries(shipped)) {
    add({ type, role, aliases, description, module: new URL(file + EXTENSION, PACKAGE).href });
  }
  const addDeclared = (declared: NodeDeclaration, plugin?: string) => {
    const { type, role, description } = declared;
    const [, ...aliases] = namesOf(declared);
    for (const name of plugin === undefined ? [] : [type, ...aliases]) {
      const taken = names.get(name);
      if (!taken) continue;
      throw new PluginError(
        `${plugin}: the name "${name}" already belongs to ${taken.type}${taken.plugin ? ` of ${taken.plugin}` : ''}`,
      );
    }
    const module = plugin === undefined ? undefined : pathToFileURL(plugin).href;
    add({ type, role, aliases, description, plugin, module });
    loaded.set(type, declared);
  };
  for (const declared of options.types ?? []) addDeclared(declared);
  for (const plugin of options.plugins ?? []) {
    for (const { file, declared } of await loadPlugin(resolve(options.cwd ?? process.cwd(), plugin), plugin)) {
      addDeclared(declared, file);
    }
  }

  const importType = async ({ type }: RegistryEntry): Promise<NodeDeclaration> => {
    const before = loaded.get(type);
    if (before) return before;
    const file = shipped[type]!.file + EXTENSION;
    const { default: declared } = (await import(new URL(file, PACKAGE).href)) as { default?: NodeDeclaration };
    if (declared?.type !== type) throw new Error(`${file} does not declare ${type}: run \`npm run build\``);
    loaded.set(type, declared);
    return declared;
  };
  const sorted = (all: readonly RegistryEntry[], kind: string | undefined) =>
    all
      .filter(({ type }) => kind === undefined || type.startsWith(`${kind}/`))
      .sort((a, b) => (a.type < b.type ? -1 : 1));
  const forms = FORMS.map(({ type, role, description }): RegistryEntry => ({ type, role, description, aliases: [] }));
  const listWithForms = (kind?: string) => sorted([...entries.values(), ...forms], kind);

  return {
    find: (name) => names.get(name),
    load: async (asked) => {
      const found = [...new Set(asked)].flatMap((name) => {
        const entry = names.get(name);
        return entry ? [{ name, entry }] : [];
      });
      return new Map(await Promise.all(found.map(async ({ name, entry }) => [name, await importType(entry)] as const)));
    },
    list: (kind) => sorted([...entries.values()], kind),
    listWithForms,
    suggest: (name) =>
      suggest(name, new Map([...names, ...forms.map((form) => [form.type, form] as const)]), listWithForms),
  };
}

function suggest(
  name: string,
  names: ReadonlyMap<string, RegistryEntry>,
  list: (kind?: string) => readonly RegistryEntry[],
): string {
  const kinds = [...new Set(list().map(({ type }) => type.slice(0, type.indexOf('/'))))];
  const [kind, tail] = name.includes('/')
    ? [name.slice(0, name.indexOf('/')), name.slice(name.indexOf('/') + 1)]
    : [name];
  const known = kinds.includes(kind) ? kind : nearest(kind, kinds);
  // within a kind the names behind the slash are compared: what they share before it makes nothing alike
  const near =
    known !== undefined && tail !== undefined ? nearestOfKind(tail, known, list) : nearest(name, names.keys());
  if (near !== undefined) return `Did you mean "${names.get(near)!.type}"?`;
  if (known === undefined) return `The kinds of node types are: ${kinds.join(', ')}`;
  return `Of kind ${known} there are: ${list(known)
    .map(({ type }) => type)
    .join(', ')}`;
}

function nearestOfKind(
  tail: string,
  kind: string,
  list: (kind?: string) => readonly RegistryEntry[],
): string | undefined {
  const found = nearest(
    tail,
    list(kind).flatMap(({ type, aliases }) => [type.slice(kind.length + 1), ...aliases]),
  );
  const isTail = list(kind).some(({ type }) => type === `${kind}/${found}`);
  return found !== undefined && isTail ? `${kind}/${found}` : found;
}

interface PluginType {
  readonly file: string;
  readonly declared: NodeDeclaration;
}

const PLUGIN_FORM = 'A plugin exports by default what defineNode returns, or an array of such';

/** A file, or the modules directly in a folder: those without a default export are parts that the others share. */
async function loadPlugin(path: string, asGiven: string): Promise<readonly PluginType[]> {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) throw new PluginError(`${asGiven}: no such plugin file or folder (looked for ${path})`);
  const files = stat.isDirectory()
    ? (await readdir(path))
        .filter((name) => /\.m?[jt]s$/.test(name) && !/\.(test|d)\.m?ts$/.test(name))
        .sort()
        .map((name) => join(path, name))
    : [path];
  const found = (await Promise.all(files.map(importPlugin))).flat();
  if (found.length > 0) return found;
  const what = stat.isDirectory() ? 'no .js, .mjs or .ts file in the plugin folder has' : 'the plugin has';
  throw new PluginError(`${asGiven}: ${what} ${stat.isDirectory() ? 'a' : 'no'} default export. ${PLUGIN_FORM}`);
}

async function importPlugin(file: string): Promise<readonly PluginType[]> {
  const module = await import(pathToFileURL(file).href).catch((error: NodeJS.ErrnoException) => {
    const cure =
      error.code === 'ERR_UNKNOWN_FILE_EXTENSION'
        ? '. Start with `node --import=tsx`, use Node 22.18 or later, or compile the plugin to .js'
        : '';
    throw new PluginError(`${file}: the plugin cannot be imported: ${error.message}${cure}`, { cause: error });
  });
  if (module.default === undefined) return [];
  const exported: readonly unknown[] = Array.isArray(module.default) ? module.default : [module.default];
  return exported.map((declared) => {
    const reason = notANodeType(declared);
    if (reason !== undefined) throw new PluginError(`${file}: not a node type: ${reason}. ${PLUGIN_FORM}`);
    return { file, declared: declared as NodeDeclaration };
  });
}
