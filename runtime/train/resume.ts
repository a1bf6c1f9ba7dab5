/** Finding the checkpoint to go on from: the newest that is whole. */
import { basename, dirname, join } from 'node:path';
import { ASIDE, CheckpointError, checkpointFolders, DAMAGED, REPLACED } from './checkpoint.ts';
import { diskFiles, type Files, sha256Of } from './files.ts';
import { FormatError, MANIFEST, type Manifest, parseManifest } from './manifest.ts';

export interface FoundCheckpoint {
  readonly path: string;
  readonly manifest: Manifest;
}

export interface Search {
  readonly found?: FoundCheckpoint;
  /** newer ones that could not be used, newest first */
  readonly damaged: readonly { readonly name: string; readonly reason: string }[];
}

/**
 * The newest checkpoint below `folder` whose files have the sizes and checksums of its manifest. Those that do not are
 * named, and moved aside as `<name>.damaged`. What an interrupted write left behind is cleared away.
 * @throws CheckpointError when one is of another format: it is whole, but not for this version
 */
export async function findCheckpoint(folder: string, files: Files = diskFiles): Promise<Search> {
  await clearAway(folder, files);
  const damaged: { name: string; reason: string }[] = [];
  const readable: FoundCheckpoint[] = [];
  for (const name of await checkpointFolders(folder, files)) {
    const path = join(folder, name);
    try {
      readable.push({ path, manifest: await readManifest(path, files) });
    } catch (error) {
      if (error instanceof FormatError) throw new CheckpointError(`${path} cannot be read: ${error.message}`);
      damaged.push({ name, reason: (error as Error).message });
    }
  }
  readable.sort((a, b) => b.manifest.sequence - a.manifest.sequence);
  let found: FoundCheckpoint | undefined;
  for (const checkpoint of readable) {
    const reason = await damage(checkpoint, files);
    if (reason === undefined) {
      found = checkpoint;
      break;
    }
    damaged.push({ name: basename(checkpoint.path), reason });
  }
  for (const { name } of damaged) {
    await files.rm(join(folder, name + DAMAGED), { recursive: true, force: true });
    await files.rename(join(folder, name), join(folder, name + DAMAGED));
  }
  return { found, damaged };
}

/** A checkpoint by its path. @throws CheckpointError when it is not whole */
export async function openCheckpoint(path: string, files: Files = diskFiles): Promise<FoundCheckpoint> {
  let reason: string | undefined;
  try {
    const checkpoint = { path, manifest: await readManifest(path, files) };
    reason = await damage(checkpoint, files);
    if (reason === undefined) return checkpoint;
  } catch (error) {
    reason = (error as Error).message;
  }
  throw new CheckpointError(`${path} is not a whole checkpoint: ${reason}. Others are in ${dirname(path)}`);
}

async function readManifest(path: string, files: Files): Promise<Manifest> {
  let text: string;
  try {
    text = await files.readFile(join(path, MANIFEST), 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(code === 'ENOENT' ? `it has no ${MANIFEST}` : message);
  }
  try {
    return parseManifest(text);
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw new Error(`${MANIFEST} is damaged: ${(error as Error).message}`);
  }
}

async function damage({ path, manifest }: FoundCheckpoint, files: Files): Promise<string | undefined> {
  for (const [file, { bytes, sha256 }] of Object.entries(manifest.files)) {
    if (file !== basename(file)) return `${MANIFEST} names the file ${file}, which is not in the folder`;
    const stat = await files.stat(join(path, file)).catch(() => undefined);
    if (!stat) return `${file} is missing`;
    if (stat.size !== bytes) return `${file} has ${stat.size} bytes instead of ${bytes}`;
    if ((await sha256Of(join(path, file))) !== sha256) return `${file} was altered: its checksum does not fit`;
  }
  return undefined;
}

/** A crash may leave a half-written folder, or one that was just being replaced. */
async function clearAway(folder: string, files: Files): Promise<void> {
  const entries: string[] = await files.readdir(folder).catch(() => [] as string[]);
  for (const name of entries) {
    if (name.startsWith(ASIDE)) await files.rm(join(folder, name), { recursive: true, force: true });
    if (!name.startsWith(REPLACED)) continue;
    const original = name.slice(REPLACED.length);
    if (entries.includes(original)) await files.rm(join(folder, name), { recursive: true, force: true });
    else await files.rename(join(folder, name), join(folder, original));
  }
}
