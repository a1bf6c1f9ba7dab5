/** Checks of files and folders that a dataset names. */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import type { NodeProblem } from '../../graph/node-type.ts';
import { nearest } from '../../graph/problem.ts';

/** A problem when `path` is not a readable folder (or file), with the nearest name that is there. */
export async function checkPath(at: string, path: string, kind: 'folder' | 'file'): Promise<NodeProblem | undefined> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => error);
  if (!(found instanceof Error)) {
    if (kind === 'folder' ? found.isDirectory() : found.isFile()) return undefined;
    return { at, message: `${path} is not a ${kind}` };
  }
  if (found.code === 'EACCES') return { at, message: `${path} cannot be read`, cure: 'Check its permissions' };
  return { at, message: `there is no ${kind} ${path}`, cure: await nearby(resolve(path)) };
}

/** Names the nearest sibling, or the first part of the path that is missing. */
async function nearby(path: string): Promise<string | undefined> {
  let missing = path;
  while (missing !== dirname(missing)) {
    const folder = dirname(missing);
    const names = await readdir(folder).catch(() => undefined);
    if (names) {
      const near = nearest(basename(missing), names);
      if (near) return `Did you mean ${near} in ${folder}?`;
      return missing === path ? undefined : `${folder} has no ${basename(missing)}`;
    }
    missing = folder;
  }
  return undefined;
}
