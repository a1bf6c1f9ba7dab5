import { formatProblem, type Problem } from '../../graph/problem.ts';

/** The request is wrong: the document, an override, the device. Carries every problem found; nothing has run. */
export class WrongRequest extends Error {
  override readonly name = 'WrongRequest';
  readonly problems: readonly Problem[];
  constructor(problems: readonly Problem[]) {
    super(problems.map((problem) => formatProblem(problem)).join('\n'));
    this.problems = problems;
  }
}
