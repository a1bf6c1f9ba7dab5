/** Runs all reference cases that a checker exists for. */
import { readdir } from 'node:fs/promises';
import { openBackend } from '../../runtime/tensor/backend.ts';
import type { CaseResult, Checker, FileResult } from './checker.ts';
import { NotSupported } from './checker.ts';
import { compared } from './compare.ts';
import { testedIn } from './elsewhere.ts';
import { type OracleFile, readOracles } from './oracle-file.ts';

export interface RunOptions {
  readonly folder: string;
  readonly device: string;
  /** only files whose path contains this */
  readonly only?: string;
  readonly onFile?: (result: FileResult) => void;
}

export async function loadCheckers(): Promise<Checker[]> {
  const folder = new URL('checkers/', import.meta.url);
  const names = (await readdir(folder)).filter((name) => name.endsWith('.ts')).sort();
  const modules = await Promise.all(names.map((name) => import(new URL(name, folder).href)));
  return modules.flatMap((module: { default?: readonly Checker[] }) => module.default ?? []);
}

export async function runOracles(options: RunOptions): Promise<FileResult[]> {
  const checkers = await loadCheckers();
  const results: FileResult[] = [];
  for (const file of await readOracles(options.folder)) {
    if (options.only && !file.path.includes(options.only)) continue;
    const fitting = checkers.filter(({ pattern }) => pattern.test(file.path));
    if (fitting.length > 1) throw new Error(`two checkers for ${file.path}`);
    const result = await runFile(file, fitting[0], options.device);
    options.onFile?.(result);
    results.push(result);
  }
  return results;
}

export async function runFile(file: OracleFile, checker: Checker | undefined, device: string): Promise<FileResult> {
  const results: CaseResult[] = [];
  const outcome = testedIn(file.path).length > 0 ? 'elsewhere' : 'unsupported';
  for (const index of file.cases.keys()) {
    results.push(checker ? await runCase(file, index, checker, device) : { index, outcome });
  }
  return { path: file.path, cases: file.cases.length, results };
}

async function runCase(file: OracleFile, index: number, checker: Checker, device: string): Promise<CaseResult> {
  const before = compared();
  try {
    await checker.check(file.cases[index], { file, index, backend: () => openBackend(device) });
    if (compared() > before) return { index, outcome: 'passed' };
    return { index, outcome: 'failed', reason: 'the checker compared nothing' };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { index, outcome: error instanceof NotSupported ? 'unsupported' : 'failed', reason };
  }
}
