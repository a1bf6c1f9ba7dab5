/** What is known of videos from earlier runs, in $PIPE_CACHE; without that variable nothing is kept. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { writeAside } from '../lightly/write-aside.ts';
import type { VideoFacts } from './probe.ts';

/** changes with what is kept, so that older files are not read */
const FORMAT = 1;

interface Kept extends Omit<VideoFacts, 'times' | 'entries'> {
  readonly times: readonly number[];
  readonly entries: readonly number[];
}

/** The facts of a video: kept ones while path, size and time of change are the same, else those that `probe` finds. */
export async function cachedFacts(file: string, probe: () => Promise<VideoFacts>): Promise<VideoFacts> {
  const folder = process.env.PIPE_CACHE;
  if (!folder) return probe();
  const { size, mtimeMs } = await stat(file);
  const key = createHash('sha256').update(JSON.stringify([FORMAT, resolve(file), size, mtimeMs]));
  const path = join(folder, 'videos', `${key.digest('hex').slice(0, 32)}.json`);
  const kept = await readKept(path);
  if (kept) return kept;
  const facts = await probe();
  await mkdir(join(folder, 'videos'), { recursive: true });
  await writeAside(path, [JSON.stringify({ ...facts, times: [...facts.times], entries: [...facts.entries] })]);
  return facts;
}

async function readKept(path: string): Promise<VideoFacts | undefined> {
  try {
    const { times, entries, ...rest } = JSON.parse(await readFile(path, 'utf8')) as Kept;
    return { ...rest, times: Float64Array.from(times), entries: Uint32Array.from(entries) };
  } catch {
    return undefined; // not there, or damaged: it is made anew
  }
}
