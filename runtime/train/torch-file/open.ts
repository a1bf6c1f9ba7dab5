/**
 * PyTorch files (.torch, .pth, .pt, .pkl) read without Python. Nothing in them is executed: classes and functions are
 * names, and what is not known stays a record. Storages are read when their values are asked for.
 */
import { open } from 'node:fs/promises';
import { TorchFileError } from './error.ts';
import { isLegacy, readLegacy } from './legacy.ts';
import { torchMeaning } from './meaning.ts';
import { unpickle } from './unpickle.ts';
import type { PyValue } from './values.ts';
import { type ReadAt, readerOf, zipEntries } from './zip-entries.ts';

export interface TorchFile {
  readonly value: PyValue;
  close(): Promise<void>;
}

/** @throws TorchFileError */
export async function openTorchFile(path: string): Promise<TorchFile> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    const readAt = readerOf(handle, path);
    return { value: await readValue(readAt, size, path), close: () => handle.close() };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function readValue(readAt: ReadAt, size: number, path: string): Promise<PyValue> {
  if (size < 2) throw new TorchFileError(`${path} is empty`);
  const head = await readAt(0, Math.min(size, 64));
  if (head.toString('latin1', 0, 2) === 'PK') return readZip(readAt, size, path);
  if (isLegacy(head)) return readLegacy(readAt, size, path);
  if (head[0] === 0x80) {
    const none = torchMeaning(path, () => {
      throw new TorchFileError(`${path} has storages, but is a plain pickle`);
    });
    return unpickle(await readAt(0, size), path, none).value;
  }
  const tar = size > 262 && (await readAt(257, 5)).toString('latin1') === 'ustar';
  throw new TorchFileError(
    tar
      ? `${path} is a tar archive of PyTorch before 0.1.10. Load it there and save it anew`
      : `${path} is no PyTorch file: it is no zip archive and no pickle. It may be a download that failed`,
  );
}

async function readZip(readAt: ReadAt, size: number, path: string): Promise<PyValue> {
  const entries = await zipEntries(readAt, size, path);
  const main = [...entries.keys()].find((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (!main) throw new TorchFileError(`${path} is a zip archive without a data.pkl: torch.save did not write it`);
  const folder = main.slice(0, -'data.pkl'.length);
  if (entries.has(`${folder}constants.pkl`)) {
    throw new TorchFileError(`${path} is a TorchScript program. Save its state_dict() with torch.save instead`);
  }
  const order = entries.get(`${folder}byteorder`);
  if (order && (await order.read()).toString() !== 'little') {
    throw new TorchFileError(`${path} was written on a big-endian machine`);
  }
  const meaning = torchMeaning(path, (key) => ({
    async read() {
      const entry = entries.get(`${folder}data/${key}`);
      if (!entry) throw new TorchFileError(`${path} has no storage ${key}`);
      return entry.read();
    },
  }));
  return unpickle(await entries.get(main)!.read(), path, meaning).value;
}
