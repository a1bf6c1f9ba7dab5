/** The file operations that checkpoints rest on, and their durable forms. Tests put a failing disk in their place. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import * as disk from 'node:fs/promises';
import { dirname, join } from 'node:path';

export type Files = Pick<typeof disk, 'open' | 'mkdir' | 'readdir' | 'readFile' | 'rename' | 'rm' | 'stat'>;

export const diskFiles: Files = disk;

export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Have the entries of a folder on disk: after this a rename in it survives a power cut. */
export async function syncFolder(files: Files, folder: string): Promise<void> {
  const handle = await files.open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Write a whole file and have it on disk. */
export async function writeDurably(files: Files, path: string, content: string | Uint8Array): Promise<void> {
  const handle = await files.open(path, 'w');
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Replace a file in one step: readers see the old content or the new one, never a part. */
export async function replaceFile(files: Files, path: string, content: string): Promise<void> {
  const folder = dirname(path);
  const aside = join(folder, `.tmp-${process.pid}-${path.slice(folder.length + 1)}`);
  await writeDurably(files, aside, content);
  await files.rename(aside, path);
  await syncFolder(files, folder);
}
