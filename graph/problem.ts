import { relative } from 'node:path';

/** Lists longer than this are not printed in a message. */
const SHORT_LIST = 12;

/**
 * One mistake in a document, ready to be shown: what, where, why, and what to do.
 * The pure layers answer `Either<Problem[], T>` and name every mistake they can see at once.
 */
export interface Problem {
  /** The layer of checks that found it. */
  layer: 'json' | 'schema' | 'wiring' | 'shapes' | 'environment';
  /** The document's path; absent for a document built in a program. */
  file?: string;
  /** 1-based. */
  line?: number;
  /** 1-based, in UTF-16 code units. */
  column?: number;
  /** `node`, `node.port`, or a key path such as `nodes.loss.temperature`. */
  where?: string;
  /** What is wrong and why, without a full stop at its end. */
  message: string;
  /** What to do about it: a sentence with its capital letter, without a full stop at its end. */
  cure?: string;
}

/** `file:line:column  where: message. cure.` Files below `cwd` are shown relative to it. */
export function formatProblem(problem: Problem, cwd?: string): string {
  const { line, column, where, message, cure } = problem;
  const place = [shownFile(problem.file, cwd), line, line === undefined ? undefined : column]
    .filter((part) => part !== undefined)
    .join(':');
  const subject = where ? `${where}: ${message}` : message;
  return `${place ? `${place}  ` : ''}${sentence(subject)}${cure ? ` ${sentence(cure)}` : ''}`;
}

function shownFile(file: string | undefined, cwd: string | undefined): string | undefined {
  if (!file || !cwd) return file;
  const short = relative(cwd, file);
  return short && !short.startsWith('..') ? short : file;
}

function sentence(text: string): string {
  return /[.?!]$/.test(text) ? text : `${text}.`;
}

/**
 * The candidate that `word` is most likely a misspelling of, or undefined when none is near.
 * Distance: insertions, deletions, substitutions and swaps of neighbours (optimal string alignment), letter case
 * aside; about one edit is forgiven for every three letters. A word that is the end of a candidate's path
 * (`swav` for `loss/swav`, `temperature` for `nodes.loss.temperature`) counts as one edit.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = word.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = nearness(wanted, candidate.toLowerCase(), bestDistance);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** `Did you mean "temperature"?`, or what exists when nothing is near and the list is short; '' when neither helps. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const all = [...candidates];
  const near = nearest(word, all);
  if (near !== undefined) return `Did you mean "${near}"?`;
  if (all.length === 0 || all.length > SHORT_LIST) return '';
  return `There ${all.length === 1 ? 'is' : 'are'}: ${all.join(', ')}`;
}

function nearness(word: string, candidate: string, limit: number): number {
  if (word.length > 2 && (candidate.endsWith(`/${word}`) || candidate.endsWith(`.${word}`))) return Math.min(1, limit);
  if (Math.abs(word.length - candidate.length) >= limit) return limit;
  return editDistance(word, candidate);
}

/** Optimal string alignment distance: Damerau-Levenshtein in which no substring is edited twice. */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let cost = Math.min(substitution, previous[j]! + 1, current[j - 1]! + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, before[j - 2]! + 1);
      current.push(cost);
    }
    before = previous;
    previous = current;
  }
  return previous[b.length]!;
}
