/** Datasets by name: where the images and labels of each split lie (VISSL's dataset catalog). */
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { didYouMean } from '../../../graph/problem.ts';

/** Images, a folder or a list; and labels, a folder or a .npy file, where they are not beside the images. */
export type CatalogPaths = readonly [images: string, labels?: string];

/** By split: train, val, … */
export type CatalogEntry = Readonly<Record<string, CatalogPaths>>;

/** where a catalog is looked for unless told otherwise */
export const CATALOG_FILE = 'datasets.json';

export const catalogFile = (given?: string): string => given ?? process.env.PIPE_CATALOG ?? CATALOG_FILE;

/** Every method that changes it throws an Error on a mistake, and then changes nothing. */
export class Catalog {
  readonly #entries = new Map<string, CatalogEntry>();

  /** Adds one dataset. */
  registerData(name: string, entry: unknown): void {
    if (this.#entries.has(name)) throw new Error(`the catalog has a dataset ${name} already: remove it first`);
    this.#entries.set(name, entryOf(name, entry));
  }

  /** Adds all datasets of an object: name → split → [images, labels]. */
  registerDict(dict: unknown): void {
    if (!isObject(dict)) throw new Error('a catalog is an object: { "name": { "train": [images, labels], … } }');
    const entries = Object.entries(dict).map(([name, entry]) => [name, entryOf(name, entry)] as const);
    const known = entries.find(([name]) => this.#entries.has(name));
    if (known) throw new Error(`the catalog has a dataset ${known[0]} already: remove it first`);
    for (const [name, entry] of entries) this.#entries.set(name, entry);
  }

  /** Adds all datasets of a JSON file; relative paths in it start from its folder. */
  async registerJson(file: string): Promise<void> {
    let content: unknown;
    try {
      content = JSON.parse(await readFile(file, 'utf8'));
    } catch (cause) {
      throw new Error(`${file} cannot be read as a catalog: ${(cause as Error).message}`, { cause });
    }
    try {
      const read = new Catalog();
      read.registerDict(content);
      const absolute = read.list().map((name) => [name, movedTo(dirname(file), read.get(name))] as const);
      this.registerDict(Object.fromEntries(absolute));
    } catch (cause) {
      throw new Error(`${file}: ${(cause as Error).message}`, { cause });
    }
  }

  /** Names, in the order in which they were added. */
  list(): string[] {
    return [...this.#entries.keys()];
  }

  hasData(name: string): boolean {
    return this.#entries.has(name);
  }

  get(name: string): CatalogEntry {
    const entry = this.#entries.get(name);
    if (entry) return entry;
    const known = this.#entries.size > 0 ? `it has ${this.list().join(', ')}` : 'it is empty';
    const near = didYouMean(name, this.list());
    throw new Error(`the catalog has no dataset ${name}; ${known}${near ? `. ${near}` : ''}`);
  }

  remove(name: string): void {
    this.get(name);
    this.#entries.delete(name);
  }

  clear(): void {
    this.#entries.clear();
  }

  /** Name → split → [images, labels]. */
  toJSON(): Record<string, CatalogEntry> {
    return Object.fromEntries(this.#entries);
  }
}

/** Paths of a split. What is not train is val where the entry does not name it (as VISSL's TEST). */
export function splitOf(name: string, entry: CatalogEntry, split: string): CatalogPaths {
  const found = entry[split] ?? (split === 'train' ? undefined : (entry.val ?? entry.test));
  if (found) return found;
  throw new Error(`dataset ${name} has no split ${split}; it has ${Object.keys(entry).join(', ')}`);
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function entryOf(name: string, entry: unknown): CatalogEntry {
  if (!isObject(entry)) throw new Error(`dataset ${name} is not an object: expected { "train": [images, labels], … }`);
  const splits = Object.entries(entry);
  if (splits.length === 0) throw new Error(`dataset ${name} has no splits`);
  const odd = splits.find(
    ([, paths]) => !Array.isArray(paths) || paths.length < 1 || paths.length > 2 || !paths.every(isText),
  );
  if (odd) throw new Error(`dataset ${name}, split ${odd[0]}: expected [images] or [images, labels], as texts`);
  return entry as CatalogEntry;
}

const isText = (value: unknown): boolean => typeof value === 'string';

const movedTo = (folder: string, entry: CatalogEntry): CatalogEntry =>
  Object.fromEntries(
    Object.entries(entry).map(([split, paths]) => [
      split,
      paths.map((path) =>
        path === undefined || isAbsolute(path) ? path : join(folder, path),
      ) as unknown as CatalogPaths,
    ]),
  );
