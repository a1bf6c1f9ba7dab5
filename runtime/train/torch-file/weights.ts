import type { StoredTensor, WeightsFile } from '../weights-file.ts';
import { TorchFileError } from './error.ts';
import { openTorchFile } from './open.ts';
import { stateDict } from './state-dict.ts';
import type { TorchValues } from './tensors.ts';

/** Weights in a PyTorch file, in PyTorch's layout: floating-point numbers as float32, whole numbers as int32. */
export async function openTorchWeights(path: string): Promise<WeightsFile> {
  const file = await openTorchFile(path);
  try {
    const tensors = new Map(stateDict(file.value, path).map((tensor) => [tensor.name, tensor]));
    return {
      names: [...tensors.keys()],
      async read(name): Promise<StoredTensor> {
        const tensor = tensors.get(name);
        if (!tensor) throw new TorchFileError(`${path} has no tensor ${name}`);
        return { shape: tensor.shape, values: plain(await tensor.values()) };
      },
      close: file.close,
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

function plain(values: TorchValues): Float32Array | Int32Array {
  if (values instanceof Float32Array || values instanceof Int32Array) return values;
  if (values instanceof Float64Array) return Float32Array.from(values);
  // counters of batches: beyond 2^31 they stay at its end
  return Int32Array.from(values, (value: number | bigint) =>
    Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, Number(value))),
  );
}
