import type { Dir, Dirent } from 'node:fs';
import { opendir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A file below the folder that is looked at. */
export interface Visited {
  /** relative, with `/` */
  readonly path: string;
  /** first part of the path when the file lies in a sub-folder; else undefined */
  readonly top: string | undefined;
}

export interface VisitHandlers {
  onFile(file: Visited): void;
  /** a sub-folder directly in the folder */
  onFolder(name: string): void;
  /** a folder that cannot be read */
  onFault(path: string, reason: string): void;
}

/** entries that the system is asked for at a time */
const BUFFER = 1024;

/**
 * Every file in and below a folder, as it is found: names are not collected, so a million files cost no memory. Hidden
 * entries are left out, links are followed, but not back to a folder above. Throws the signal's reason.
 */
export async function visit(folder: string, handlers: VisitHandlers, signal: AbortSignal): Promise<void> {
  const enter = async (path: string, above: readonly string[]): Promise<void> => {
    const full = join(folder, path);
    let entries: Dir;
    let real: string;
    try {
      real = await realpath(full);
      if (above.includes(real)) return;
      entries = await opendir(full, { bufferSize: BUFFER });
    } catch (error) {
      handlers.onFault(full, (error as Error).message);
      return;
    }
    for await (const entry of entries) {
      signal.throwIfAborted();
      if (entry.name.startsWith('.')) continue;
      const inner = path === '' ? entry.name : `${path}/${entry.name}`;
      const kind = await kindOf(join(folder, inner), entry);
      if (kind === 'file') handlers.onFile({ path: inner, top: path === '' ? undefined : inner.split('/', 1)[0] });
      if (kind !== 'folder') continue;
      if (path === '') handlers.onFolder(entry.name);
      await enter(inner, [...above, real]);
    }
  };
  await enter('', []);
}

async function kindOf(full: string, entry: Dirent): Promise<'folder' | 'file' | undefined> {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'folder';
  if (!entry.isSymbolicLink()) return undefined;
  const target = await stat(full).catch(() => undefined);
  return target?.isDirectory() ? 'folder' : target?.isFile() ? 'file' : undefined;
}
