import { type Either, left, right } from 'fp-ts/lib/Either.js';
import type { Problem } from '../problem.ts';
import { dict, list, MAX_DEPTH, type Origin, scalar, type Tree } from './located.ts';
import { Mistakes } from './mistakes.ts';
import { formatPath } from './path.ts';

const ORIGIN: Origin = { source: 'program' };

/**
 * A value that a program built → a tree without places. Members that are undefined are left out, as JSON does. Refused:
 * what JSON cannot say (functions, NaN, class instances, …), the key `__proto__`, nesting beyond `MAX_DEPTH`, which an
 * object that contains itself has.
 */
export function readObject(value: unknown): Either<Problem[], Tree> {
  const mistakes = new Mistakes('json');
  const tree = read(value, [], mistakes);
  return mistakes.none ? right(tree) : left(mistakes.found);
}

/** @param path to the value: lengthened and shortened on the way, read only where there is a mistake */
function read(value: unknown, path: string[], mistakes: Mistakes): Tree {
  const refuse = (message: string): Tree => {
    mistakes.add(undefined, formatPath(path), message);
    return scalar(null, ORIGIN);
  };
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return scalar(value, ORIGIN);
  if (typeof value === 'number')
    return Number.isFinite(value) ? scalar(value, ORIGIN) : refuse(`${value} is not a JSON number`);
  if (typeof value !== 'object')
    return refuse(`${value === undefined ? 'undefined' : `a ${typeof value}`} is not JSON`);
  if (path.length > MAX_DEPTH)
    return refuse(`lists and objects nest more than ${MAX_DEPTH} deep, or contain themselves`);
  const readAt = (key: string, item: unknown): Tree => {
    path.push(key);
    const tree = read(item, path, mistakes);
    path.pop();
    return tree;
  };
  if (Array.isArray(value)) {
    const items = Array.from(value, (item, index) => readAt(String(index), item));
    return list(items, ORIGIN);
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null)
    return refuse(`a ${prototype.constructor.name} is not JSON`);
  const entries = new Map<string, Tree>();
  for (const [key, item] of Object.entries(value)) {
    if (key === '__proto__') refuse('the key __proto__ is not allowed');
    else if (item !== undefined) entries.set(key, readAt(key, item));
  }
  return dict(entries, ORIGIN);
}
