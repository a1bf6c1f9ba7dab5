/** Once-values kept in the run folder, so that a resumed run does not make them again. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Value } from '../node.ts';
import type { TensorBackend } from '../tensor/types.ts';
import { diskFiles } from '../train/files.ts';
import { openSafetensors, type TensorSource, writeSafetensors } from '../train/safetensors.ts';
import { tensorsOf } from './values.ts';

/** How a value is written in the file's metadata: plain JSON with tensors and arrays by name. */
type Tree = { readonly tensor: string } | { readonly array: string } | { readonly list: Tree[] } | Plain;
type Plain = { readonly json: unknown } | { readonly object: Readonly<Record<string, Tree>> };

export interface ArtifactStore {
  /** the kept value of a ref, if there is one with this key */
  load(ref: string, key: string): Promise<Value | undefined>;
  save(ref: string, key: string, value: Value): Promise<void>;
}

export function createArtifacts(out: string, backend: TensorBackend): ArtifactStore {
  const folder = join(out, 'artifacts');
  const pathOf = (ref: string): string => {
    const readable = ref.replace(/[^\w.-]/g, '_');
    return join(folder, `${readable}-${createHash('sha256').update(ref).digest('hex').slice(0, 8)}.safetensors`);
  };
  return {
    async load(ref, key) {
      const file = await openSafetensors(pathOf(ref)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw error;
      });
      if (!file) return undefined;
      try {
        if (file.metadata.key !== key) return undefined;
        return await decode(JSON.parse(file.metadata.value) as Tree, async (name) => {
          const { dtype, shape } = file.tensors.get(name)!;
          const { buffer } = (await file.read(name)) as Uint8Array<ArrayBuffer>;
          const Type = dtype === 'F32' ? Float32Array : dtype === 'I32' ? Int32Array : Uint8Array;
          return { values: new Type(buffer), shape };
        });
      } finally {
        await file.close();
      }
    },
    async save(ref, key, value) {
      const tensors: TensorSource[] = [];
      const tree = encode(value, tensors);
      await diskFiles.mkdir(folder, { recursive: true });
      const aside = join(folder, `.tmp-${process.pid}`);
      await writeSafetensors(aside, tensors, { key, value: JSON.stringify(tree) });
      await diskFiles.rename(aside, pathOf(ref));
    },
  };

  async function decode(
    tree: Tree,
    read: (name: string) => Promise<{ values: Float32Array | Int32Array | Uint8Array; shape: readonly number[] }>,
  ): Promise<Value> {
    if ('array' in tree) return (await read(tree.array)).values;
    if ('tensor' in tree) {
      const { values, shape } = await read(tree.tensor);
      const { tf } = backend;
      return tf.keep(tf.tensor(values, [...shape], values instanceof Float32Array ? 'float32' : 'int32'));
    }
    if ('list' in tree) return Promise.all(tree.list.map((part) => decode(part, read)));
    if ('json' in tree) return tree.json;
    const entries = Object.entries(tree.object).map(async ([key, part]) => [key, await decode(part, read)] as const);
    return Object.fromEntries(await Promise.all(entries));
  }
}

function encode(value: Value, tensors: TensorSource[]): Tree {
  const name = String(tensors.length);
  if (value instanceof Float32Array || value instanceof Int32Array || value instanceof Uint8Array) {
    const dtype = value instanceof Float32Array ? 'F32' : value instanceof Int32Array ? 'I32' : 'U8';
    tensors.push({ name, dtype, shape: [value.length], read: () => value });
    return { array: name };
  }
  if (Array.isArray(value)) return { list: value.map((part) => encode(part, tensors)) };
  const [tensor] = tensorsOf(value);
  if (tensor) {
    const dtype = tensor.dtype === 'float32' ? 'F32' : 'I32';
    const read = async () => {
      const values = await tensor.data();
      return values instanceof Float32Array ? values : Int32Array.from(values as Int32Array);
    };
    tensors.push({ name, dtype, shape: tensor.shape, read });
    return { tensor: name };
  }
  if (typeof value !== 'object' || value === null) return { json: value };
  if (ArrayBuffer.isView(value) || typeof (value as { then?: unknown }).then === 'function') {
    throw new TypeError('once-values are kept as plain data, tensors, Float32Array, Int32Array and Uint8Array only');
  }
  return { object: Object.fromEntries(Object.entries(value).map(([key, part]) => [key, encode(part, tensors)])) };
}
