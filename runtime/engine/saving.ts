/** Between a running graph and its checkpoints. */
import { join } from 'node:path';
import type { TensorBackend } from '../tensor/types.ts';
import { type CheckpointContent, MODEL_FILE, OPTIMIZER_FILE, STATE_FILE } from '../train/checkpoint.ts';
import type { FoundCheckpoint } from '../train/resume.ts';
import { openSafetensors, type SafetensorsFile, writeSafetensors } from '../train/safetensors.ts';
import type { Graph } from './edges.ts';
import type { NamedHook } from './events.ts';
import { assignStored, owners, savedTensors } from './models.ts';
import type { RunningGraph } from './running.ts';
import type { EngineState, SavedState, SavedTensor } from './state.ts';

export type Collected = Pick<CheckpointContent, 'model' | 'optimizer' | 'state' | 'numbers' | 'hooks'>;

/** Tensors, numbers and hook states as they are now; tensors are read when they are written. */
export function collect(graph: Graph, running: RunningGraph, state: EngineState): Collected {
  const isOptimizer = (node: string): boolean => graph.byName.get(node)!.declaration.role === 'optimizer';
  const hooks: Record<string, unknown> = {};
  for (const { name, handlers } of hooksOf(running)) if (handlers.save) hooks[name] = handlers.save();
  return {
    model: owners(running.models).flatMap(savedTensors),
    optimizer: state.tensors(isOptimizer),
    state: state.tensors((node) => !isOptimizer(node)),
    numbers: state.numbers(),
    hooks,
  };
}

/**
 * What nodes and hooks kept on a rank; asked for before they are created. Of optimizers a rank gets the whole state and
 * takes what it keeps.
 */
export async function readState(
  { path, manifest }: FoundCheckpoint,
  rank: number,
): Promise<SavedState & { readonly tensors: Map<string, SavedTensor> }> {
  const tensors = new Map<string, SavedTensor>();
  const ownFile = rankFile(rank);
  const own = rank > 0 && Object.hasOwn(manifest.files, ownFile) ? ownFile : STATE_FILE;
  let { numbers, hooks }: Pick<Collected, 'numbers' | 'hooks'> = manifest;
  for (const name of [OPTIMIZER_FILE, own]) {
    await withFile(join(path, name), async (file) => {
      for (const key of file.tensors.keys()) tensors.set(key, await stored(file, key));
      if (name !== ownFile) return;
      const kept = JSON.parse(file.metadata.kept) as Pick<Collected, 'numbers' | 'hooks'>;
      numbers = { ...numbers, ...kept.numbers };
      hooks = kept.hooks;
    });
  }
  return { tensors, numbers, hooks };
}

/** How many ranks wrote a checkpoint: each above 0 left a file. */
export const ranksOf = ({ manifest }: FoundCheckpoint): number =>
  1 + Object.keys(manifest.files).filter((name) => /^state-rank-\d+\.safetensors$/.test(name)).length;

/** State of a rank above 0: queues and random state differ by rank, models and optimizers do not. */
export const rankFile = (rank: number): string => `state-rank-${rank}.safetensors`;

export async function writeRankState(folder: string, rank: number, collected: Collected): Promise<void> {
  const { state, numbers, hooks } = collected;
  await writeSafetensors(join(folder, rankFile(rank)), state, { kept: JSON.stringify({ numbers, hooks }) });
}

/** Put the models' values back. @throws Error when a model's parameter is not in the checkpoint, or has another shape */
export async function restoreModels(
  { path }: FoundCheckpoint,
  running: RunningGraph,
  backend: TensorBackend,
): Promise<void> {
  await withFile(join(path, MODEL_FILE), async (file) => {
    for (const { node, model } of owners(running.models)) {
      for (const variable of model.variables.values()) {
        const name = `${node.name}.${variable.name}`;
        if (!file.tensors.has(name)) throw new Error(`${path} has no tensor ${name}`);
        assignStored(backend, variable, await stored(file, name), path);
      }
    }
  });
}

export function restoreHooks({ hooks = {} }: SavedState, running: RunningGraph): void {
  for (const { name, handlers } of hooksOf(running)) {
    if (handlers.load && Object.hasOwn(hooks, name)) handlers.load(hooks[name]);
  }
}

/** Hooks by a name of their own: the second of two with one name is "name#2". */
function hooksOf({ ownHooks, listedHooks }: RunningGraph): NamedHook[] {
  const counts = new Map<string, number>();
  return [...ownHooks, ...listedHooks].map(({ name, handlers }) => {
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return { name: count === 1 ? name : `${name}#${count}`, handlers };
  });
}

async function stored(file: SafetensorsFile, name: string): Promise<SavedTensor> {
  const { dtype, shape } = file.tensors.get(name)!;
  if (dtype === 'F32') return { shape, values: await file.readFloats(name) };
  if (dtype !== 'I32') throw new Error(`${name} has dtype ${dtype}; checkpoints hold F32 and I32`);
  const bytes = (await file.read(name)) as Uint8Array<ArrayBuffer>;
  return { shape, values: new Int32Array(bytes.buffer) };
}

async function withFile<T>(path: string, use: (file: SafetensorsFile) => Promise<T>): Promise<T> {
  const file = await openSafetensors(path);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}
