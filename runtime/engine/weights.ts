/** Initial weights of a model node from a file: a safetensors file, or a checkpoint's folder. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { TensorBackend } from '../tensor/types.ts';
import { MODEL_FILE } from '../train/checkpoint.ts';
import { openSafetensors } from '../train/safetensors.ts';
import { assignStored, type RunningModel, type StoredTensor } from './models.ts';

/** A weights file of any format, opened: names → tensors in PyTorch's layout. */
export interface WeightsFile {
  readonly names: readonly string[];
  read(name: string): Promise<StoredTensor>;
  close(): Promise<void>;
}

/** Opens files that are not safetensors (PyTorch's), by their extension. */
export type OpenWeights = (path: string) => Promise<WeightsFile>;

export interface LoadedWeights {
  readonly loaded: readonly string[];
  /** parameters of the model that the file has not: they keep their initial values */
  readonly missing: readonly string[];
  /** names of the file that the model has not */
  readonly unexpected: readonly string[];
}

/**
 * Assign the file's values to the model's parameters and buffers of the same state-dict names. In a file of several
 * models the names may begin with "<node>."; `prefix` is dropped from the beginning of the file's names first.
 * @throws Error when nothing fits, or a shape differs
 */
export async function loadWeights(
  running: RunningModel,
  path: string,
  prefix: string,
  backend: TensorBackend,
  openOther?: OpenWeights,
): Promise<LoadedWeights> {
  const file = await openWeights(path, openOther);
  try {
    const { node, model } = running;
    const own = `${node.name}.`;
    const byName = new Map<string, string>();
    for (const name of file.names) {
      const bare = prefix && name.startsWith(prefix) ? name.slice(prefix.length) : name;
      byName.set(!model.variables.has(bare) && bare.startsWith(own) ? bare.slice(own.length) : bare, name);
    }
    const loaded: string[] = [];
    const missing: string[] = [];
    for (const variable of model.variables.values()) {
      const stored = byName.get(variable.name);
      byName.delete(variable.name);
      if (stored === undefined) {
        missing.push(variable.name);
        continue;
      }
      assignStored(backend, variable, await file.read(stored), `${path} for ${node.name}`);
      loaded.push(variable.name);
    }
    if (loaded.length === 0 && model.variables.size > 0) {
      throw new Error(
        `${path} has no weights for ${node.name}: the file has names such as ${file.names.slice(0, 3).join(', ')}, the model ${missing.slice(0, 3).join(', ')}; set weights_prefix to what the file's names have in front`,
      );
    }
    return { loaded, missing, unexpected: [...byName.values()] };
  } finally {
    await file.close();
  }
}

async function openWeights(path: string, openOther?: OpenWeights): Promise<WeightsFile> {
  const found = await stat(path).catch(() => undefined);
  if (!found) throw new Error(`there is no weights file ${path}`);
  if (!found.isDirectory() && !path.endsWith('.safetensors')) {
    if (openOther) return openOther(path);
    throw new Error(`${path} is not a .safetensors file: convert it first`);
  }
  const file = await openSafetensors(found.isDirectory() ? join(path, MODEL_FILE) : path);
  return {
    names: [...file.tensors.keys()],
    async read(name) {
      const { shape, dtype } = file.tensors.get(name)!;
      if (dtype === 'I32' || dtype === 'I64') return { shape, values: integers(await file.read(name), dtype) };
      return { shape, values: await file.readFloats(name) };
    },
    close: () => file.close(),
  };
}

function integers(bytes: Uint8Array, dtype: 'I32' | 'I64'): Int32Array {
  const buffer = bytes.slice().buffer;
  return dtype === 'I32' ? new Int32Array(buffer) : Int32Array.from(new BigInt64Array(buffer), Number);
}
