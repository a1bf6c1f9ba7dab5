/** Ground truth of retrieval datasets: JSON, or the pickles of the revisited Oxford and Paris. */
import { readFile } from 'node:fs/promises';
import { numpyArray } from '../train/torch-file/numpy.ts';
import { openTorchFile } from '../train/torch-file/open.ts';
import { PyDict, type PyValue } from '../train/torch-file/values.ts';
import type { GroundTruth, RevisitedTruth } from './scores.ts';

/** One entry per query: {"ok", "junk"}, or {"easy", "hard", "junk"} of a revisited dataset. */
export type Truth =
  | { readonly kind: 'plain'; readonly queries: readonly GroundTruth[] }
  | { readonly kind: 'revisited'; readonly queries: readonly RevisitedTruth[] };

/**
 * A list with an object per query, alone or under "gnd"; positions count the database's images in the order of its
 * dataset. @throws Error when the file is something else
 */
export async function readGroundTruth(path: string): Promise<Truth> {
  const content = path.endsWith('.pkl') ? await pickled(path) : (JSON.parse(await readFile(path, 'utf8')) as unknown);
  const list = Array.isArray(content) ? content : (content as { gnd?: unknown })?.gnd;
  if (!Array.isArray(list) || list.length === 0) throw new Error(`${path} holds no list of queries under "gnd"`);
  const revisited = 'easy' in (list[0] as object);
  const names = revisited ? (['easy', 'hard', 'junk'] as const) : (['ok', 'junk'] as const);
  const queries = list.map((entry, q) =>
    Object.fromEntries(
      names.map((name) => [name, positions((entry as never)[name], `${path}: ${name} of query ${q}`)]),
    ),
  );
  return { kind: revisited ? 'revisited' : 'plain', queries } as unknown as Truth;
}

function positions(value: unknown, what: string): readonly number[] {
  const list = Array.isArray(value) ? value.map(Number) : undefined;
  if (list?.every((n) => Number.isInteger(n) && n >= 0)) return list;
  throw new Error(`${what} is no list of positions in the database`);
}

async function pickled(path: string): Promise<unknown> {
  const file = await openTorchFile(path);
  await file.close();
  return plain(file.value);
}

function plain(value: PyValue): unknown {
  const array = numpyArray(value);
  if (array) return Array.from(array.values, Number);
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof PyDict)
    return Object.fromEntries([...value.entries].map(([key, part]) => [String(key), plain(part)]));
  return value;
}
