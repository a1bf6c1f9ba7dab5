/** `pipe dataset`: the catalog of datasets by name. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { withDefaults } from '../../../graph/params/defaults.ts';
import { Catalog, catalogFile, splitOf } from '../../data/catalog/catalog.ts';
import { resolveDataset } from '../../data/catalog/resolve.ts';
import { datasetContext } from '../../data/dataset-context.ts';
import { writeAside } from '../../lightly/write-aside.ts';
import type { NodeType } from '../../node.ts';
import { openRegistry } from '../../pipeline/registry.ts';
import { createRandom } from '../../random.ts';
import { interruptible, refusal } from '../request.ts';

interface CatalogOptions {
  readonly catalog?: string;
  readonly json?: boolean;
}

/** Mistakes in names and entries are the user's. */
async function asked<T>(work: () => Promise<T> | T): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw refusal((error as Error).message);
  }
}

async function read(options: CatalogOptions): Promise<Catalog> {
  const file = catalogFile(options.catalog);
  const catalog = new Catalog();
  if (existsSync(file)) await asked(() => catalog.registerJson(file));
  else if (options.catalog !== undefined)
    throw refusal(`there is no catalog ${file}`, 'Make one with pipe dataset add');
  return catalog;
}

async function write(catalog: Catalog, options: CatalogOptions): Promise<void> {
  await writeAside(catalogFile(options.catalog), [`${JSON.stringify(catalog, null, 2)}\n`]);
}

const print = (value: unknown) => process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);

export async function list(options: CatalogOptions): Promise<void> {
  const catalog = await read(options);
  if (options.json) return void print(catalog);
  for (const name of catalog.list()) process.stdout.write(`${name}  ${Object.keys(catalog.get(name)).join(', ')}\n`);
}

/** An entry, and the node that reads each of its splits. */
export async function get(name: string, options: CatalogOptions): Promise<void> {
  const catalog = await read(options);
  const entry = await asked(() => catalog.get(name));
  const nodes: Record<string, unknown> = {};
  for (const split of Object.keys(entry)) {
    nodes[split] = await resolveDataset(splitOf(name, entry, split), split).then(
      ({ dataset, ...params }) => ({ type: `dataset/${dataset}`, ...params }),
      (error: Error) => ({ problem: error.message }),
    );
  }
  print({ name, entry, nodes });
}

interface AddOptions extends CatalogOptions {
  readonly train?: readonly string[];
  readonly val?: readonly string[];
  readonly test?: readonly string[];
  readonly from?: string;
}

/** Adds one dataset by its paths, or all of a JSON file. */
export async function add(name: string | undefined, options: AddOptions): Promise<void> {
  const { from, train, val, test } = options;
  const splits = Object.entries({ train, val, test }).flatMap(([split, paths]) =>
    paths ? [[split, paths.map((path) => resolve(path))] as const] : [],
  );
  if ((name === undefined) === (from === undefined))
    throw refusal('give a name with its paths, or --from <catalog.json>');
  if (name !== undefined && splits.length === 0) {
    throw refusal(`no paths are given for ${name}`, 'Give --train <images> [labels], --val <images> [labels]');
  }
  const existing = existsSync(catalogFile(options.catalog));
  const catalog = existing ? await read(options) : new Catalog();
  await asked(() =>
    from === undefined ? catalog.registerData(name!, Object.fromEntries(splits)) : catalog.registerJson(from),
  );
  await write(catalog, options);
  process.stderr.write(`${catalogFile(options.catalog)}: ${catalog.list().join(', ')}\n`);
}

export async function remove(name: string, options: CatalogOptions): Promise<void> {
  const catalog = await read(options);
  await asked(() => catalog.remove(name));
  await write(catalog, options);
}

/** Every image of a split, a path a line. */
export async function paths(name: string, options: CatalogOptions & { split: string }): Promise<void> {
  const catalog = await read(options);
  const found = await asked(() => resolveDataset(splitOf(name, catalog.get(name), options.split), options.split));
  const { dataset, ...given } = found;
  const types = (await (await openRegistry()).load([`dataset/${dataset}`])) as ReadonlyMap<string, NodeType>;
  const declared = types.get(`dataset/${dataset}`)!;
  if (declared.role !== 'dataset') throw new TypeError(`${dataset} is not a dataset`);
  // the number of classes does not matter here: labels are not read
  const params = withDefaults(declared.params, {
    ...given,
    ...(dataset === 'disk_filelist' ? { labels: 'none' } : {}),
  });
  await interruptible(async (signal) => {
    const run = { seed: 0, signal, notice: () => {} };
    const context = datasetContext(types, { name, params: params as Record<string, unknown> }, run);
    const index = await declared.scan(context);
    const opened = await declared.open(context, index);
    const random = createRandom(0);
    for (let i = 0; i < opened.length; i++) {
      const { source } = await opened.read(i, random);
      if ('file' in source) process.stdout.write(`${source.file}\n`);
    }
  });
}
