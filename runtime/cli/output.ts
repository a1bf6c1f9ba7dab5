/** How commands speak: problems one per line on stderr, results on stdout, exit codes 0, 1, 2. */
import { formatProblem, type Problem } from '../../graph/problem.ts';

export const exitCode = { done: 0, failed: 1, wrongRequest: 2 } as const;

/** A wrong request with its problems; ends in exit code 2. */
export class WrongRequest extends Error {
  readonly problems: readonly Problem[];
  constructor(problems: readonly Problem[]) {
    super(problems.map((problem) => problem.message).join('\n'));
    this.problems = problems;
  }
}

export const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;

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
