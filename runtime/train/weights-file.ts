/** Weights files of any format, as those who load and export them see them. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openSafetensors } from './safetensors.ts';
import { visslCheckpoint } from './vissl-folder.ts';

/** A stored tensor in PyTorch's layout. */
export interface StoredTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array;
}

export interface WeightsFile {
  readonly names: readonly string[];
  read(name: string): Promise<StoredTensor>;
  close(): Promise<void>;
}

/** Opens a weights file whatever its format; `path` may be a checkpoint's folder. */
export type OpenWeights = (path: string) => Promise<WeightsFile>;

/** A safetensors file. Numbers that are not floating-point are read as int32. */
export async function openSafetensorsWeights(path: string): Promise<WeightsFile> {
  const file = await openSafetensors(path);
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

/** .safetensors, a checkpoint's folder, a PyTorch file (.torch, .pth, .pt, .bin, .ckpt, .pkl), or a folder of a VISSL run. */
export async function openWeightsFile(path: string): Promise<WeightsFile> {
  const found = await stat(path).catch(() => undefined);
  if (!found) throw new Error(`there is no weights file ${path}`);
  if (!found.isDirectory()) return openByName(path);
  const files = await readdir(path);
  if (files.includes(MODEL)) return openSafetensorsWeights(join(path, MODEL));
  const vissl = visslCheckpoint(files) ?? visslCheckpoint(files, { iterations: true });
  if (vissl) return openByName(join(path, vissl));
  throw new Error(`${path} is no checkpoint: it holds no ${MODEL}, nor a checkpoint of VISSL`);
}

const MODEL = 'model.safetensors';

async function openByName(path: string): Promise<WeightsFile> {
  if (path.endsWith('.safetensors')) return openSafetensorsWeights(path);
  const { openTorchWeights } = await import('./torch-file/weights.ts');
  return openTorchWeights(path);
}
