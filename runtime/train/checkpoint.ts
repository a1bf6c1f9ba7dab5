/**
 * Checkpoints: folders below one folder, each written aside, put on disk, and renamed into place, so that one that has
 * its name is whole. A manifest holds the checksums of the other files.
 */
import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { diskFiles, type Files, replaceFile, sha256Of, syncFolder, writeDurably } from './files.ts';
import {
  CHECKPOINT_FORMAT,
  formatManifest,
  MANIFEST,
  type Manifest,
  type Position,
  parseManifest,
} from './manifest.ts';
import { type TensorSource, type WrittenFile, writeSafetensors } from './safetensors.ts';

export const MODEL_FILE = 'model.safetensors';
export const OPTIMIZER_FILE = 'optimizer.safetensors';
export const STATE_FILE = 'state.safetensors';

/** Name of the file that names the newest checkpoint. */
export const LATEST = 'latest';

/** Folders that begin so are unfinished, or about to be deleted. */
export const ASIDE = '.tmp-';
/** A checkpoint that is being replaced by one of the same name. */
export const REPLACED = '.old-';
/** One that was found damaged, moved aside, has this at the end of its name. */
export const DAMAGED = '.damaged';

export class CheckpointError extends Error {
  override readonly name = 'CheckpointError';
}

export interface CheckpointContent {
  readonly reason: string;
  readonly final: boolean;
  readonly position: Position;
  readonly trainSamples: number;
  readonly numbers: Readonly<Record<string, number>>;
  readonly hooks: Readonly<Record<string, unknown>>;
  readonly metricsBytes: number;
  readonly signature: unknown;
  readonly document: unknown;
  readonly model: readonly TensorSource[];
  readonly optimizer: readonly TensorSource[];
  readonly state: readonly TensorSource[];
  /** have the other ranks put their files into the folder; returns the names */
  others?(folder: string): Promise<readonly string[]>;
}

export interface CheckpointWriter {
  /**
   * Write a checkpoint and name it the latest; then delete the oldest beyond the `keep` newest (0: keep all; final ones
   * stay and do not count). Returns its folder. @throws CheckpointError; what was there before is untouched
   */
  write(content: CheckpointContent, keep: number): Promise<string>;
  /** Delete a checkpoint. */
  discard(path: string): Promise<void>;
}

/** @param producer name and version of the program, for the manifest */
export function createCheckpointWriter(folder: string, producer: string, files: Files = diskFiles): CheckpointWriter {
  return {
    async write(content, keep) {
      const name = checkpointName(content.position, content.final);
      const aside = asidePath(folder, content.position, content.final);
      try {
        await files.mkdir(folder, { recursive: true });
        const others = await listCheckpoints(folder, files);
        const sequence = Math.max(0, ...others.map(({ manifest }) => manifest.sequence)) + 1;
        await files.rm(aside, { recursive: true, force: true });
        await files.mkdir(aside);
        await fill(aside, content, sequence, producer, files);
        await settle(folder, aside, name, files);
        await replaceFile(files, join(folder, LATEST), `${name}\n`);
        await prune(folder, keep, files);
      } catch (error) {
        await files.rm(aside, { recursive: true, force: true }).catch(() => undefined);
        throw await explain(error, folder, name, files);
      }
      return join(folder, name);
    },
    discard: (path) => remove(path, files),
  };
}

/** Where a checkpoint is written before it has its name: the same on every rank. */
export const asidePath = (folder: string, position: Position, final: boolean): string =>
  join(folder, ASIDE + checkpointName(position, final));

/** step-0000000120 within a phase, step-0000000120-epoch-0003-phase-1 between phases, …-final at the end. */
export function checkpointName(position: Position, final: boolean): string {
  const step = `step-${String(position.iteration).padStart(10, '0')}`;
  const place = `epoch-${String(position.epoch).padStart(4, '0')}-phase-${position.phase}`;
  if (final) return `${step}-final`;
  return position.step > 0 ? `${step}-${place}-batch-${position.step}` : `${step}-${place}`;
}

async function fill(
  folder: string,
  content: CheckpointContent,
  sequence: number,
  producer: string,
  files: Files,
): Promise<void> {
  const { model, optimizer, state, others, ...facts } = content;
  const written: Record<string, WrittenFile> = {};
  for (const [file, tensors] of [
    [MODEL_FILE, model],
    [OPTIMIZER_FILE, optimizer],
    [STATE_FILE, state],
  ] as const) {
    written[file] = await writeSafetensors(join(folder, file), tensors, { format: 'pt', producer }, files);
  }
  for (const file of (await others?.(folder)) ?? []) {
    const { size } = await files.stat(join(folder, file));
    written[file] = { bytes: size, sha256: await sha256Of(join(folder, file)) };
  }
  const manifest: Manifest = {
    format: CHECKPOINT_FORMAT,
    package: producer,
    written: new Date().toISOString(),
    sequence,
    ...facts,
    numbers: { ...facts.numbers },
    hooks: { ...facts.hooks },
    documentSha256: createHash('sha256').update(JSON.stringify(content.document)).digest('hex'),
    files: written,
  };
  await writeDurably(files, join(folder, MANIFEST), formatManifest(manifest));
  await syncFolder(files, folder);
}

/** Rename into place; a checkpoint of the same name (another try at the same step) is set aside until that is done. */
async function settle(folder: string, aside: string, name: string, files: Files): Promise<void> {
  const path = join(folder, name);
  const old = join(folder, `${REPLACED}${name}`);
  const taken = await files.stat(path).then(
    () => true,
    () => false,
  );
  if (taken) {
    await files.rm(old, { recursive: true, force: true });
    await files.rename(path, old);
  }
  await files.rename(aside, path);
  await syncFolder(files, folder);
  if (taken) await files.rm(old, { recursive: true, force: true });
}

async function prune(folder: string, keep: number, files: Files): Promise<void> {
  if (keep <= 0) return;
  const kept = (await listCheckpoints(folder, files)).filter(({ manifest }) => !manifest.final);
  for (const { name } of kept.slice(keep)) {
    await remove(join(folder, name), files);
  }
}

/** Renamed first: one that is half deleted does not look like a checkpoint. */
async function remove(path: string, files: Files): Promise<void> {
  const doomed = join(dirname(path), `${ASIDE}${basename(path)}-deleted`);
  await files.rename(path, doomed);
  await files.rm(doomed, { recursive: true, force: true });
}

export interface ListedCheckpoint {
  readonly name: string;
  readonly manifest: Manifest;
}

/** Checkpoints with a readable manifest, newest first; checksums are not looked at. */
export async function listCheckpoints(folder: string, files: Files = diskFiles): Promise<ListedCheckpoint[]> {
  const listed: ListedCheckpoint[] = [];
  for (const name of await checkpointFolders(folder, files)) {
    const manifest = await files.readFile(join(folder, name, MANIFEST), 'utf8').then(parseManifest, () => undefined);
    if (manifest) listed.push({ name, manifest });
  }
  return listed.sort((a, b) => b.manifest.sequence - a.manifest.sequence);
}

/** Names of the folders that are, or claim to be, checkpoints. */
export async function checkpointFolders(folder: string, files: Files = diskFiles): Promise<string[]> {
  const entries = await files.readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return entries
    .filter((entry) => entry.isDirectory() && entry.name.startsWith('step-') && !entry.name.endsWith(DAMAGED))
    .map(({ name }) => name);
}

async function explain(error: unknown, folder: string, name: string, files: Files): Promise<Error> {
  const { code, message } = error as NodeJS.ErrnoException;
  const newest = (await listCheckpoints(folder, files).catch(() => []))[0];
  const intact = newest ? `The newest whole one is ${newest.name}` : 'There is no earlier one';
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  const why = full ? 'the disk is full' : message;
  const cure = full ? '. Free space there, or keep fewer checkpoints, and run again' : '';
  return new CheckpointError(`checkpoint ${name} could not be written to ${folder}: ${why}. ${intact}${cure}`, {
    cause: error,
  });
}
