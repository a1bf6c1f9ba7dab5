import { isLeft } from 'fp-ts/lib/Either.js';
import { type Json, MAX_DEPTH, toPlain } from './located.ts';
import { parse } from './parse.ts';

/** `path=value` or `+path=value`, taken apart. */
export interface OverrideText {
  readonly adds: boolean;
  readonly path: string;
  readonly value: Json;
}

/**
 * The value is JSON, else a list with bare words (`[a, 2, "b c"]`), else the text as it stands.
 * @throws SyntaxError with the reason in plain words
 */
export function parseOverride(override: string): OverrideText {
  const equals = override.indexOf('=');
  const adds = override.startsWith('+');
  const path = override.slice(adds ? 1 : 0, Math.max(equals, 0)).trim();
  if (equals < 0 || path === '') throw new SyntaxError(`"${override}" is not of the form key=value`);
  if (/__proto__/.test(path)) throw new SyntaxError('the key __proto__ is not allowed');
  return { adds, path, value: parseValue(override.slice(equals + 1).trim()) };
}

function parseValue(text: string): Json {
  if (text.startsWith('[')) return parseList(text);
  if (/^["{]|^-?\d/.test(text) || text === 'true' || text === 'false' || text === 'null') return parseJson(text);
  return text;
}

function parseJson(text: string): Json {
  const parsed = parse(text, '');
  if (!isLeft(parsed)) return toPlain(parsed.right);
  // 2024-05-01 and 3d are words; a number out of range, or an object or text that does not end, is a mistake
  const word = !/^["{]/.test(text) && Number.isNaN(Number(text));
  if (word) return text;
  throw new SyntaxError(`the value ${text} cannot be read: ${parsed.left[0]!.message}`);
}

/** Lists whose items are JSON or bare words. */
function parseList(text: string): Json {
  let position = 0;
  const fail = (reason: string): never => {
    throw new SyntaxError(`the list ${text} cannot be read: ${reason}`);
  };
  const skipSpace = () => {
    while (text[position] === ' ') position++;
  };

  const item = (depth: number): Json => {
    skipSpace();
    if (text[position] === '[') return items(depth + 1);
    if (text[position] === '"') return parseJson(take(/"(?:[^"\\]|\\.)*"/y));
    if (text[position] === '{') return parseJson(takeObject());
    const word = take(/[^,[\]]+/y).trim();
    return word === '' ? fail('an item is missing') : parseValue(word);
  };
  const take = (pattern: RegExp): string => {
    pattern.lastIndex = position;
    const match = pattern.exec(text)?.[0];
    if (match === undefined) return fail(position < text.length ? 'an item is missing' : 'it has no end');
    position += match.length;
    return match;
  };
  const takeObject = (): string => {
    const start = position;
    let depth = 0;
    do {
      const token = take(/"(?:[^"\\]|\\.)*"|[{}]|[^"{}]+/y);
      depth += token === '{' ? 1 : token === '}' ? -1 : 0;
    } while (depth > 0);
    return text.slice(start, position);
  };
  const items = (depth: number): Json[] => {
    if (depth > MAX_DEPTH) fail(`it nests more than ${MAX_DEPTH} deep`);
    const found: Json[] = [];
    position++;
    skipSpace();
    while (text[position] !== ']') {
      found.push(item(depth));
      skipSpace();
      if (text[position] === ',') position++;
      else if (text[position] !== ']') fail(position < text.length ? 'a comma is missing' : 'it has no end');
      skipSpace();
    }
    position++;
    return found;
  };

  const result = items(1);
  return position === text.length ? result : fail(`${text.slice(position)} follows its end`);
}
