/** The manifest of node types: found by folder when the project is built, read by the registry afterwards. */
import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type NodeDeclaration, namesOf, type Role } from './node-type.ts';

export interface ManifestEntry {
  /** module path from the package root, without extension: "nodes/losses/swav" */
  readonly file: string;
  readonly role: Role;
  readonly aliases?: readonly string[];
  readonly description: string;
}

/** Entries by type. */
export type Manifest = Readonly<Record<string, ManifestEntry>>;

const ROLES: ReadonlySet<string> = new Set<Role>([
  'dataset',
  'transform',
  'collator',
  'model',
  'compute',
  'target',
  'loss',
  'optimizer',
  'bank',
  'meter',
  'artifact',
  'evaluator',
  'hook',
  'step',
  'schedule',
]);

/** Why a module's export is not a node type, or undefined when it is one. */
export function notANodeType(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return `it is ${value === null ? 'null' : `a ${typeof value}`}`;
  const { type, role, description, params } = value as Partial<NodeDeclaration>;
  if (typeof type !== 'string' || !/^[a-z][a-z0-9_]*\/[a-z0-9][a-z0-9_.]*$/.test(type)) {
    return `its type is ${JSON.stringify(type)}, not "<kind>/<name>" in small letters, digits and _`;
  }
  if (typeof role !== 'string' || !ROLES.has(role)) {
    return `${type} has the role ${JSON.stringify(role)}, not one of ${[...ROLES].join(', ')}`;
  }
  if (typeof description !== 'string' || description === '') return `${type} has no description`;
  if (typeof params !== 'object' || params === null || params.type !== 'object') {
    return `the params of ${type} are not a T.Object`;
  }
  return undefined;
}

/**
 * Import every module below `nodes/` and list the node types among them, sorted by type. Errors (a default export that
 * is not a node type, a type or alias given twice) come all at once; the text is empty then.
 */
export async function buildManifest(root: string): Promise<{ text: string; errors: readonly string[] }> {
  const manifest: Record<string, ManifestEntry> = {};
  const errors: string[] = [];
  const owners = new Map<string, string>();
  for (const path of await modules(join(root, 'nodes'))) {
    const module = (await import(pathToFileURL(path).href)) as { default?: NodeDeclaration };
    const declared = module.default;
    if (declared === undefined) continue;
    const file = relative(root, path).split(sep).join('/').replace(/\.ts$/, '');
    const reason = notANodeType(declared);
    if (reason !== undefined) {
      errors.push(`${file}.ts: the default export is not a node type: ${reason}`);
      continue;
    }
    const { type, role, description } = declared;
    const [, ...aliases] = namesOf(declared);
    for (const name of [type, ...aliases]) {
      const owner = owners.get(name);
      if (owner === undefined) owners.set(name, file);
      else errors.push(`${file}.ts: the name "${name}" already belongs to ${owner}.ts`);
    }
    manifest[type] = { file, role, ...(aliases.length > 0 ? { aliases } : {}), description };
  }
  if (errors.length > 0) return { text: '', errors };
  const sorted = Object.fromEntries(Object.entries(manifest).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { text: `${JSON.stringify(sorted, null, 2)}\n`, errors };
}

async function modules(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
