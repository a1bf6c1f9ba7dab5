import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { createScanner, printParseErrorCode, visit } from 'jsonc-parser';
import type { Problem } from '../problem.ts';
import { dict, list, MAX_DEPTH, type Origin, type Place, scalar, type Tree } from './located.ts';
import { Mistakes } from './mistakes.ts';
import { explainSyntax } from './syntax.ts';

/** A list or object that is being read. */
interface Frame {
  readonly open: Place;
  readonly key?: Place;
  readonly entries?: Map<string, Tree>;
  readonly items?: Tree[];
  next?: { name: string; place: Place };
}

/**
 * JSON with comments, trailing commas and a byte order mark → a tree in which every value has its place.
 * Refused, all at once: broken syntax, a key given twice, the key `__proto__`, numbers that a double cannot hold
 * (1e999, whole numbers beyond 2^53), nesting beyond `MAX_DEPTH`.
 */
export function parse(source: string, file: string, from: 'document' | 'part' = 'document'): Either<Problem[], Tree> {
  const content = source.replace(/^\uFEFF/, '');
  const tooDeep = findTooDeep(content, file);
  return tooDeep ? left([tooDeep]) : build(content, file, from);
}

/** The library's reader recurses, so depth is measured before it runs. */
function findTooDeep(content: string, file: string): Problem | undefined {
  const scanner = createScanner(content, true);
  let depth = 0;
  for (let token = scanner.scan(); token !== EOF; token = scanner.scan()) {
    if (token === OPEN_BRACE || token === OPEN_BRACKET) depth++;
    if (token === CLOSE_BRACE || token === CLOSE_BRACKET) depth--;
    if (depth <= MAX_DEPTH) continue;
    const place = { line: scanner.getTokenStartLine() + 1, column: scanner.getTokenStartCharacter() + 1 };
    return { layer: 'json', file, ...place, message: `lists and objects nest more than ${MAX_DEPTH} deep here` };
  }
  return undefined;
}

// SyntaxKind, spelled out because the package declares it as a const enum
const OPEN_BRACE = 1;
const CLOSE_BRACE = 2;
const OPEN_BRACKET = 3;
const CLOSE_BRACKET = 4;
const EOF = 17;

function build(content: string, file: string, from: 'document' | 'part'): Either<Problem[], Tree> {
  const mistakes = new Mistakes('json');
  const frames: Frame[] = [];
  const seen = new Map<Frame, Map<string, Place>>();
  let root: Tree | undefined;
  let lastError = { line: 0, code: '' };
  let lastClosed: Frame | undefined;
  const at = (line: number, character: number): Place => ({ file, line: line + 1, column: character + 1 });
  const origin = (place: Place): Origin => ({ source: from, place });

  const keep = (tree: Tree) => {
    const frame = frames.at(-1);
    if (!frame) root = tree;
    else if (frame.items) frame.items.push(tree);
    else if (frame.next) frame.entries!.set(frame.next.name, tree);
  };
  const open = (frame: Frame) => {
    frames.push(frame);
  };
  const close = () => {
    const frame = frames.pop()!;
    lastClosed = frame;
    if (frame.items) keep(list(frame.items, origin(frame.open), frame.key));
    else keep(dict(frame.entries!, origin(frame.open), frame.key));
  };

  visit(
    content,
    {
      onObjectBegin: (_offset, _length, line, character) =>
        open({ open: at(line, character), key: frames.at(-1)?.next?.place, entries: new Map() }),
      onObjectEnd: close,
      onArrayBegin: (_offset, _length, line, character) =>
        open({ open: at(line, character), key: frames.at(-1)?.next?.place, items: [] }),
      onArrayEnd: close,
      onObjectProperty: (name, _offset, _length, line, character) => {
        const frame = frames.at(-1)!;
        const place = at(line, character);
        frame.next = { name, place };
        const keys = seen.get(frame) ?? new Map<string, Place>();
        seen.set(frame, keys);
        const first = keys.get(name);
        if (first)
          mistakes.add(
            place,
            name,
            `the key is given twice; first in line ${first.line}, column ${first.column}`,
            'Keep one of the two',
          );
        else keys.set(name, place);
        if (name === '__proto__') mistakes.add(place, name, 'this key is not allowed', 'Choose another name');
      },
      onLiteralValue: (value, offset, length, line, character) => {
        const place = at(line, character);
        const raw = content.slice(offset, offset + length);
        if (typeof value === 'number') checkNumber(value, raw, place, mistakes);
        keep(scalar(value, origin(place), frames.at(-1)?.next?.place));
      },
      onError: (error, offset, length, line, character) => {
        const code = printParseErrorCode(error);
        // one mistake often upsets the reader several times: the first of a line is the telling one
        const echo =
          lastError.line === line + 1 || (lastError.code === 'UnexpectedEndOfString' && code === 'CommaExpected');
        lastError = { line: line + 1, code };
        if (echo) return;
        // the reader ends a list or object before it complains that its bracket is missing
        const frame = code.startsWith('Close') ? lastClosed : frames.at(-1);
        const { message, cure } = explainSyntax(code, content.slice(offset, offset + length), frame?.open);
        mistakes.add(at(line, character), undefined, message, cure);
      },
    },
    { allowTrailingComma: true },
  );
  return mistakes.none && root ? right(root) : left(mistakes.found);
}

function checkNumber(value: number, raw: string, place: Place, mistakes: Mistakes): void {
  if (!Number.isFinite(value)) mistakes.add(place, undefined, `${raw} is too large for a number`);
  else if (/^-?\d+$/.test(raw) && !Number.isSafeInteger(value)) {
    mistakes.add(place, undefined, `${raw} cannot be held exactly: whole numbers end at ±${Number.MAX_SAFE_INTEGER}`);
  }
}
