/** How commands speak: problems one per line on stderr, results on stdout, exit codes 0, 1, 2. */
import type { ResolvedDocument } from '../../graph/document/resolve.ts';
import { formatProblem, type Problem } from '../../graph/problem.ts';
import { WrongRequest } from '../pipeline/wrong-request.ts';

export const exitCode = { done: 0, failed: 1, wrongRequest: 2 } as const;

export const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;

/** What is not wrong but worth saying, and what the overrides changed. */
export function printNotes({ overrides, notes }: ResolvedDocument): void {
  for (const { text } of overrides) process.stderr.write(`${text}\n`);
  for (const note of notes) process.stderr.write(`note: ${formatProblem(note, process.cwd())}\n`);
}

export function printProblems(problems: readonly Problem[]): void {
  for (const problem of problems) process.stderr.write(`${formatProblem(problem, process.cwd())}\n`);
  process.stderr.write(`${plural(problems.length, 'problem')}\n`);
}

/** Print an error as one message and set the exit code. `PIPE_DEBUG=1` adds the stack. */
export function fail(error: unknown): void {
  if (error instanceof WrongRequest) {
    printProblems(error.problems);
    process.exitCode = exitCode.wrongRequest;
    return;
  }
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`pipe: ${message}\n`);
  if (process.env.PIPE_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  process.exitCode = exitCode.failed;
}
