/** Images copied to a disk of this machine before training (VISSL's COPY_TO_LOCAL_DISK). */
import { createHash } from 'node:crypto';
import { copyFile, mkdir, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { diskFiles, replaceFile } from '../train/files.ts';
import { type StringTable, StringTableBuilder, stringAt } from './string-table.ts';

/** tells which lists are there whole: a digest a line */
export const MARK = 'copy_complete';
/** held by the process that copies; touched while it lives */
const LOCK = 'copying';
const HEARTBEAT = 5_000;
const STALE = 60_000;
const POLL = 250;

export interface LocalCopy {
  readonly root: string;
  readonly paths: StringTable;
  /** files that were copied now, not before */
  readonly copied: number;
  /** files of the list that do not exist */
  readonly missing: number;
}

export interface CopyOptions {
  readonly signal: AbortSignal;
  /** files at a time; default 40 */
  readonly threads?: number;
  readonly onFile?: (done: number) => void;
}

/**
 * Copies the files of a list to a folder of its own below `destination`, unless its mark says that they are there. Of
 * several processes that ask at once one copies and the others wait; one that was killed is taken over from, and goes on
 * where it was. Files outside of `root` are copied too. Throws the signal's reason.
 */
export async function copyToLocal(
  root: string,
  paths: StringTable,
  destination: string,
  options: CopyOptions,
): Promise<LocalCopy> {
  const source = resolve(root);
  const hash = (text: string | Uint8Array) => createHash('sha256').update(text).digest('hex');
  const folder = join(resolve(destination), `${basename(source)}-${hash(source).slice(0, 8)}`);
  const local = localNames(source, paths);
  const digest = hash(local.bytes);
  const marks = async () => (await readFile(join(folder, MARK), 'utf8').catch(() => '')).split('\n');
  const there = async () => (await marks()).includes(digest);
  await mkdir(folder, { recursive: true });
  for (;;) {
    options.signal.throwIfAborted();
    if (await there()) return { root: folder, paths: local, copied: 0, missing: 0 };
    const release = await lock(join(folder, LOCK));
    if (!release) {
      await sleep(POLL, undefined, { signal: options.signal });
      continue;
    }
    try {
      const { copied, missing } = await copyAll(source, paths, folder, local, options);
      const known = (await marks()).filter((mark) => mark !== '');
      await replaceFile(diskFiles, join(folder, MARK), [...known, digest, ''].join('\n'));
      return { root: folder, paths: local, copied, missing };
    } finally {
      await release();
    }
  }
}

/** Names below the new root; of files outside of the old one, their whole path below _outside. */
function localNames(root: string, paths: StringTable): StringTable {
  const names = new StringTableBuilder();
  for (let i = 0; i < paths.length; i++) {
    const path = relative(root, resolve(root, stringAt(paths, i)));
    const outside = path.startsWith('..') || isAbsolute(path);
    names.add(outside ? join('_outside', resolve(root, stringAt(paths, i))) : path);
  }
  return names.finish();
}

/** Takes the lock, and gives what releases it; undefined while another process that lives has it. */
async function lock(path: string): Promise<(() => Promise<void>) | undefined> {
  try {
    await (await open(path, 'wx')).close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const age = await stat(path).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age > STALE) await rm(path, { force: true });
    return undefined;
  }
  const beat = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => {}), HEARTBEAT);
  beat.unref();
  return async () => {
    clearInterval(beat);
    await rm(path, { force: true });
  };
}

async function copyAll(
  source: string,
  paths: StringTable,
  folder: string,
  local: StringTable,
  { signal, threads = 40, onFile }: CopyOptions,
): Promise<{ copied: number; missing: number }> {
  const folders = new Map<string, Promise<unknown>>();
  let [next, done, copied, missing] = [0, 0, 0, 0];
  const work = async (): Promise<void> => {
    for (let i = next++; i < paths.length; i = next++) {
      signal.throwIfAborted();
      const from = resolve(source, stringAt(paths, i));
      const to = join(folder, stringAt(local, i));
      if (!folders.has(dirname(to))) folders.set(dirname(to), mkdir(dirname(to), { recursive: true }));
      await folders.get(dirname(to));
      const outcome = await copyOne(from, to);
      if (outcome === 'copied') copied++;
      if (outcome === 'missing') missing++;
      onFile?.(++done);
    }
  };
  await Promise.all(Array.from({ length: threads }, work));
  return { copied, missing };
}

/** Files appear whole or not at all; one of the same size is not copied again. */
async function copyOne(from: string, to: string): Promise<'copied' | 'kept' | 'missing'> {
  const size = (file: string) =>
    stat(file).then(
      (found) => found.size,
      () => undefined,
    );
  const wanted = await size(from);
  if (wanted === undefined) return 'missing';
  if ((await size(to)) === wanted) return 'kept';
  await copyFile(from, `${to}.part`);
  await rename(`${to}.part`, to);
  return 'copied';
}
