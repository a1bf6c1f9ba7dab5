/**
 * Files of torch.save before PyTorch 1.6: a magic number, a version, facts of the machine, the object and the keys of its
 * storages, all pickled; then each storage, its number of elements before its bytes.
 */
import { TorchFileError, TruncatedPickle } from './error.ts';
import { type FindStorage, torchMeaning } from './meaning.ts';
import { TORCH_BYTES, TorchStorage } from './tensors.ts';
import { type Meaning, unpickle } from './unpickle.ts';
import type { PyValue } from './values.ts';
import type { ReadAt } from './zip-entries.ts';

const MAGIC = 0x1950a86a20f9469cfc6cn;
const VERSION = 1001;

export async function readLegacy(readAt: ReadAt, size: number, path: string): Promise<PyValue> {
  const places = new Map<string, { position: number; bytes: number }>();
  const found = new Map<string, TorchStorage>();
  const find: FindStorage = (key) => ({
    read: async () => {
      const place = places.get(key);
      if (!place) throw new TorchFileError(`${path} has no storage ${key}`);
      return readAt(place.position, place.bytes);
    },
  });
  const { value, keys, end } = await growing(size, readAt, (bytes) => {
    found.clear();
    return pickles(bytes, path, recorded(torchMeaning(path, find), found));
  });
  let at = end;
  for (const key of keys) {
    const storage = found.get(key);
    // keys of tensors that were not kept: without a type their size is not known
    const unit = storage?.dtype ? TORCH_BYTES[storage.dtype] : undefined;
    if (!unit) throw new TorchFileError(`${path} has a storage ${key} that no tensor uses`);
    const bytes = Number((await readAt(at, 8)).readBigInt64LE()) * unit;
    if (bytes < 0 || at + 8 + bytes > size) throw new TorchFileError(`${path} is cut off within the storage ${key}`);
    places.set(key, { position: at + 8, bytes });
    at += 8 + bytes;
  }
  return value;
}

/** Whether a file begins with the pickled magic number. */
export const isLegacy = (head: Buffer): boolean => {
  try {
    return unpickle(head, '', nothing('')).value === MAGIC;
  } catch {
    return false;
  }
};

const nothing = (path: string): Meaning =>
  torchMeaning(path, () => {
    throw new TorchFileError(`${path} has storages outside of its object`);
  });

function recorded(meaning: Meaning, found: Map<string, TorchStorage>): Meaning {
  return {
    call: meaning.call,
    persistent(id) {
      const value = meaning.persistent(id);
      if (value instanceof TorchStorage) found.set(value.key, value);
      return value;
    },
  };
}

function pickles(bytes: Buffer, path: string, meaning: Meaning) {
  const magic = unpickle(bytes, path, nothing(path));
  const version = unpickle(bytes, path, nothing(path), magic.end);
  if (magic.value !== MAGIC || version.value !== VERSION) {
    throw new TorchFileError(`${path} is of a version of PyTorch's format that is not known`);
  }
  const machine = unpickle(bytes, path, nothing(path), version.end);
  const object = unpickle(bytes, path, meaning, machine.end);
  const list = unpickle(bytes, path, nothing(path), object.end);
  const keys = Array.isArray(list.value) ? list.value.map(String) : [];
  return { value: object.value, keys, end: list.end };
}

/** The pickles are a small part of the file: they are tried with ever more of its begin. */
async function growing<A>(size: number, readAt: ReadAt, work: (bytes: Buffer) => A): Promise<A> {
  for (let length = Math.min(size, 1 << 20); ; length = Math.min(size, length * 8)) {
    try {
      return work(await readAt(0, length));
    } catch (error) {
      if (!(error instanceof TruncatedPickle) || length === size) throw error;
    }
  }
}
