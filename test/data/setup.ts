/** Loaders for tests: node types by their files. */

import { Value } from '@sinclair/typebox/value';
import { datasetContext } from '../../runtime/data/dataset-context.ts';
import { createLoader, type Loader, type LoaderOptions } from '../../runtime/data/loader.ts';
import { type LocatedType, typesInUse } from '../../runtime/data/node-types.ts';
import type { NodeUse } from '../../runtime/data/tasks.ts';
import type { DatasetIndex, NodeType } from '../../runtime/node.ts';

const FOLDERS: Readonly<Record<string, string>> = {
  dataset: 'datasets',
  transform: 'transforms',
  collator: 'collators',
};

export interface Given {
  readonly type: string;
  readonly name?: string;
  readonly [param: string]: unknown;
}

export interface GivenLoader extends Partial<Omit<LoaderOptions, 'dataset' | 'transforms' | 'collator'>> {
  readonly dataset: Given;
  readonly transforms?: readonly Given[];
  readonly collator: Given;
  /** modules of types that do not ship */
  readonly modules?: Readonly<Record<string, string>>;
}

/** The module of a type that ships. */
export function moduleOf(type: string): string {
  const [kind, name] = type.split('/');
  return new URL(`../../nodes/${FOLDERS[kind]}/${name}.ts`, import.meta.url).href;
}

export async function locate(
  types: Iterable<string>,
  modules: Readonly<Record<string, string>> = {},
): Promise<Map<string, LocatedType>> {
  const located = new Map<string, LocatedType>();
  for (const type of types) {
    const module = modules[type] ?? moduleOf(type);
    located.set(type, { module, declaration: ((await import(module)) as { default: NodeType }).default });
  }
  return located;
}

/** Params with defaults put in, as after the checks. */
export function use(types: ReadonlyMap<string, LocatedType>, { type, name, ...given }: Given): NodeUse {
  const { params } = types.get(type)!.declaration;
  return {
    name: name ?? type.split('/')[1],
    type,
    params: inlineDefaults(types, Value.Default(params, structuredClone(given))) as NodeUse['params'],
  };
}

/** Defaults of nodes that are written inline, as after the checks. */
function inlineDefaults(types: ReadonlyMap<string, LocatedType>, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => inlineDefaults(types, item));
  if (typeof value !== 'object' || value === null) return value;
  const object = value as Record<string, unknown>;
  const kind = ['dataset', 'transform'].find((key) => typeof object[key] === 'string');
  const filled = kind ? Value.Default(types.get(`${kind}/${object[kind]}`)!.declaration.params, object) : object;
  return Object.fromEntries(Object.entries(filled as object).map(([key, item]) => [key, inlineDefaults(types, item)]));
}

export async function scan(types: ReadonlyMap<string, LocatedType>, dataset: NodeUse): Promise<DatasetIndex> {
  const declaration = types.get(dataset.type)!.declaration;
  if (declaration.role !== 'dataset') throw new Error(`${dataset.type} is not a dataset`);
  const { signal } = new AbortController();
  const declared = new Map([...types].map(([type, { declaration: one }]) => [type, one]));
  return declaration.scan(datasetContext(declared, dataset, { seed: 0, signal, notice: () => {} }));
}

export async function loaderOf(given: GivenLoader): Promise<Loader> {
  const { dataset, transforms = [], collator, modules, ...rest } = given;
  const uses = [dataset, ...transforms, collator].map(({ type, name: _, ...params }) => ({ type, params }));
  const types = await locate(typesInUse(uses), modules);
  const images = use(types, dataset);
  return createLoader({
    name: 'batch',
    training: true,
    seed: 0,
    workers: 0,
    ...rest,
    dataset: images,
    index: rest.index ?? (await scan(types, images)),
    transforms: transforms.map((transform) => use(types, transform)),
    collator: use(types, collator),
    types,
  });
}

/** SwAV's augmentation in small. */
export const SWAV: readonly Given[] = [
  {
    type: 'transform/multi_crop',
    num_crops: [2, 4],
    size_crops: [32, 20],
    crop_scales: [
      [0.3, 1],
      [0.1, 0.3],
    ],
  },
  { type: 'transform/random_horizontal_flip' },
  { type: 'transform/color_distortion' },
  { type: 'transform/gaussian_blur' },
  { type: 'transform/to_tensor' },
  { type: 'transform/normalize', preset: 'imagenet' },
];
