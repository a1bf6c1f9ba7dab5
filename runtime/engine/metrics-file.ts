/** metrics.json: one line of numbers per phase and evaluation, sorted keys. On resume it is cut back to the checkpoint. */
import { open, readFile, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';

export type Metrics = Readonly<Record<string, number>>;

export interface MetricsFile {
  append(facts: Readonly<Record<string, unknown>>, metrics: Metrics): Promise<void>;
  /** length so far */
  readonly bytes: number;
}

/** @param keep bytes that belong to the run; what follows them is cut off */
export async function openMetrics(out: string, keep: number): Promise<MetricsFile> {
  const path = join(out, 'metrics.json');
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (size > keep) await truncate(path, keep);
  let bytes = Math.min(size, keep);
  return {
    async append(facts, metrics) {
      const sorted = Object.entries({ ...facts, ...metrics }).sort(([a], [b]) => (a < b ? -1 : 1));
      const line = `${JSON.stringify(Object.fromEntries(sorted), finite)}\n`;
      const handle = await open(path, 'a');
      try {
        await handle.writeFile(line);
        await handle.sync();
      } finally {
        await handle.close();
      }
      bytes += Buffer.byteLength(line);
    },
    get bytes() {
      return bytes;
    },
  };
}

/** The numbers reported last, by name, of a run that was. */
export async function readMetrics(out: string): Promise<Metrics> {
  const text = await readFile(join(out, 'metrics.json'), 'utf8').catch(() => '');
  const lines = text.split('\n').filter((line) => line !== '');
  const { iteration, phase_idx, train_phase_idx, ...metrics } = Object.assign(
    {},
    ...lines.map((line) => JSON.parse(line)),
  );
  return metrics;
}

/** JSON has no NaN and no infinity: they are written as strings. */
const finite = (_key: string, value: unknown): unknown =>
  typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;

/** The numbers in a value of kind metrics; nested names are joined by dots. */
export function flattenMetrics(value: unknown, prefix: string): Record<string, number> {
  const found: Record<string, number> = {};
  const visit = (part: unknown, name: string): void => {
    if (typeof part === 'number') found[name] = part;
    else if (typeof part === 'object' && part !== null) {
      for (const [key, inner] of Object.entries(part)) visit(inner, `${name}.${key}`);
    }
  };
  visit(value, prefix);
  return found;
}
