/** Files below a folder. */
import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { byCodePoint } from './string-table.ts';

/** Suffixes of image files, in small letters. */
export const IMAGE_EXTENSIONS = [
  ...['.jpg', '.jpeg', '.png', '.webp', '.gif', '.tif', '.tiff', '.avif'],
  ...['.bmp', '.ppm', '.pgm', '.pbm'],
] as const;

interface Content {
  readonly folders: string[];
  readonly files: string[];
}

/**
 * Folders and files directly in a folder, links followed, names sorted by code point. Hidden entries are left out. Throws
 * an Error that names a folder that cannot be read: without it classes would be missing.
 */
export async function listFolder(folder: string): Promise<Content> {
  const folders: string[] = [];
  const files: string[] = [];
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'EACCES' ? 'permission denied. Check its permissions, or take it out' : cause.message;
    throw new Error(`the folder ${folder} cannot be read: ${why}`, { cause });
  });
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    const kind = await kindOf(folder, entry);
    if (kind === 'folder') folders.push(entry.name);
    else if (kind === 'file') files.push(entry.name);
  }
  return { folders: folders.sort(byCodePoint), files: files.sort(byCodePoint) };
}

async function kindOf(folder: string, entry: Dirent): Promise<'folder' | 'file' | undefined> {
  if (entry.isDirectory()) return 'folder';
  if (entry.isFile()) return 'file';
  if (!entry.isSymbolicLink()) return undefined;
  const target = await stat(join(folder, entry.name)).catch(() => undefined); // a link to nothing is left out
  return target?.isDirectory() ? 'folder' : target?.isFile() ? 'file' : undefined;
}

/** Image files in and below `folder`: see `filesBelow`. */
export const imagesBelow = (folder: string, signal: AbortSignal): Promise<string[]> =>
  filesBelow(folder, isImage, signal);

/**
 * Files in and below `folder` whose name is accepted, as paths relative to it with `/`: folder by folder in the order of their paths, in
 * each by name, all by code point (as torchvision's ImageFolder). A link back to a folder above is not followed.
 */
export async function filesBelow(
  folder: string,
  accepts: (name: string) => boolean,
  signal: AbortSignal,
): Promise<string[]> {
  const found: { path: string; files: string[] }[] = [];
  const visit = async (path: string, above: readonly string[]): Promise<void> => {
    signal.throwIfAborted();
    const full = join(folder, path);
    const real = await realpath(full);
    if (above.includes(real)) return;
    const { folders, files } = await listFolder(full);
    found.push({ path, files: files.filter(accepts) });
    for (const name of folders) await visit(path === '' ? name : `${path}/${name}`, [...above, real]);
  };
  await visit('', []);
  found.sort((a, b) => byCodePoint(a.path, b.path));
  return found.flatMap(({ path, files }) => (path === '' ? files : files.map((file) => `${path}/${file}`)));
}

/** Whether a file's name ends as that of an image, in small or capital letters. */
export function isImage(name: string): boolean {
  const small = name.toLowerCase();
  return IMAGE_EXTENSIONS.some((extension) => small.endsWith(extension));
}
