/** The reference cases: files of JSON, one per component. README there: schema, layouts and tolerances. */
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';

export interface OracleTensor {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly data: readonly (number | string)[];
}

export interface OracleCase {
  readonly params: Readonly<Record<string, any>>;
  readonly inputs: Readonly<Record<string, any>>;
  readonly outputs: Readonly<Record<string, any>>;
  readonly tolerance: number;
  readonly kind?: string;
}

export interface OracleFile {
  /** "<area>/<name>.json" */
  readonly path: string;
  /** folder that holds the file, for companions such as pictures */
  readonly folder: string;
  readonly cases: readonly OracleCase[];
}

export const oracleFolder = (): string => process.env.ORACLES ?? 'test/oracles/cases';

/** All files below a folder, sorted by path. */
export async function readOracles(folder: string): Promise<OracleFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.json'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const files = await Promise.all(
    paths.map(async (file): Promise<OracleFile | undefined> => {
      const { cases } = JSON.parse(await readFile(file, 'utf8')) as { cases?: OracleCase[] };
      if (!Array.isArray(cases)) return undefined;
      return { path: relative(folder, file).split(sep).join('/'), folder: join(file, '..'), cases };
    }),
  );
  return files.filter((file) => file !== undefined);
}

/** Values as numbers; "NaN" and infinities are written as texts. */
export function floats(tensor: OracleTensor): Float32Array {
  return Float32Array.from(tensor.data, Number);
}

export const isTensor = (value: unknown): value is OracleTensor =>
  typeof value === 'object' && value !== null && 'shape' in value && 'dtype' in value && 'data' in value;
