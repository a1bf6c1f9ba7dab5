/** A checker runs reference cases of an area through the project's own code. */
import type { TensorBackend } from '../../runtime/tensor/types.ts';
import type { OracleCase, OracleFile } from './oracle-file.ts';

/** Thrown by a checker for a case whose feature does not exist yet: it counts neither as passed nor as failed. */
export class NotSupported extends Error {}

export interface CheckContext {
  readonly file: OracleFile;
  /** position of the case in its file */
  readonly index: number;
  backend(): Promise<TensorBackend>;
}

export interface Checker {
  /** of the file's path, "<area>/<name>.json" */
  readonly pattern: RegExp;
  /** Throws when the project's result differs. It must compare at least once: the runner counts comparisons. */
  check(one: OracleCase, context: CheckContext): Promise<void> | void;
}

export interface CaseResult {
  readonly index: number;
  /** elsewhere: tests of the area have it (see elsewhere.ts) */
  readonly outcome: 'passed' | 'failed' | 'unsupported' | 'elsewhere';
  readonly reason?: string;
}

export interface FileResult {
  readonly path: string;
  readonly cases: number;
  readonly results: readonly CaseResult[];
}

export const count = (file: FileResult, outcome: CaseResult['outcome']): number =>
  file.results.filter((result) => result.outcome === outcome).length;
