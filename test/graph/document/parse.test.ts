import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isLeft } from 'fp-ts/lib/Either.js';
import { MAX_DEPTH, type Tree, toPlain } from '../../../graph/document/located.ts';
import { parse } from '../../../graph/document/parse.ts';
import { child, follow, formatPath, parsePath } from '../../../graph/document/path.ts';
import { formatProblem } from '../../../graph/problem.ts';

function tree(text: string): Tree {
  const parsed = parse(text, 'a.json');
  if (isLeft(parsed)) throw new Error(parsed.left.map((problem) => formatProblem(problem)).join('\n'));
  return parsed.right;
}

function problems(text: string): string[] {
  const parsed = parse(text, 'a.json');
  return isLeft(parsed) ? parsed.left.map((problem) => formatProblem(problem)) : [];
}

describe('graph/document/parse', () => {
  it('keeps the place of every value and key', () => {
    const read = tree('{\n  "nodes": {\n    "loss": { "temperature": 0.1, "dims": [1, 2] }\n  }\n}');
    const at = (path: string) => {
      const { found } = follow(read, parsePath(path));
      const { line, column } = found!.origin.place!;
      return [line, column, found!.key?.line, found!.key?.column];
    };
    assert.deepEqual(at(''), [1, 1, undefined, undefined]);
    assert.deepEqual(at('nodes'), [2, 12, 2, 3]);
    assert.deepEqual(at('nodes.loss.temperature'), [3, 30, 3, 15]);
    assert.deepEqual(at('nodes.loss.dims'), [3, 43, 3, 35]);
    assert.deepEqual(at('/nodes/loss/dims/1'), [3, 47, undefined, undefined]);
  });

  it('accepts comments, trailing commas, a byte order mark and Windows line ends', () => {
    const read = tree('\uFEFF// first\r\n{ /* a */ "a": [1, 2,],\r\n "b": "x", }\r\n// last');
    assert.deepEqual(toPlain(read), { a: [1, 2], b: 'x' });
    assert.deepEqual(child(read, 'b')!.origin.place, { file: 'a.json', line: 3, column: 7 });
    assert.deepEqual(tree('\uFEFF{}').origin.place, { file: 'a.json', line: 1, column: 1 });
  });

  it('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        if (text.includes('__proto__')) return;
        const read = parse(text, 'a.json');
        // whole numbers that a double rounds are refused, so they are no part of the comparison
        if (isLeft(read)) assert.match(formatProblem(read.left[0]!), /cannot be held exactly/);
        else assert.deepEqual(toPlain(read.right), JSON.parse(text));
      }),
    );
  });

  it('names each syntax error with its place, one for a mistake', () => {
    const cases: [string, string[]][] = [
      ['', ['a.json:1:1  the file is empty. A pipeline is an object: { "nodes": { } }.']],
      ['{"a": 1\n "b": 2}', ['a.json:2:2  a comma is missing before "b".']],
      ['{"a": "x,\n "b": 2}', ['a.json:1:7  the text that begins here has no closing quote in its line. Add a ".']],
      ["{'a': 1}", ["a.json:1:2  'a' stands in single quotes. Use double quotes."]],
      ['{a: 1}', ['a.json:1:2  a is not JSON. Text and keys stand in double quotes.']],
      ['{"a" 1}', ['a.json:1:6  a key is followed by 1, not by a colon. Write "key": value.']],
      ['{"a": }', ['a.json:1:7  a value is expected, not }.']],
      ['{\n"a": [1, 2 }', ['a.json:2:12  what opens in line 2, column 6 is closed by }.']],
      ['{\n "a": {', ['a.json:2:8  what opens in line 2, column 7 is not closed. Add a }.']],
      ['{} {}', ['a.json:1:4  the document has ended, but { follows.']],
      ['/* x', ['a.json:1:1  the comment that begins here has no end. Add a */.']],
      ['{"a": "\\q"}', ['a.json:1:7  the text holds a \\ that begins no escape. Write \\\\ for a backslash.']],
      ['{"a": None}', ['a.json:1:7  None is not JSON. Write null.']],
      ['{"a": .5}', ['a.json:1:7  .5 is not a JSON number. Begin with a digit.']],
      ['{"a": NaN}', ['a.json:1:7  NaN is not a JSON number.']],
    ];
    for (const [text, expected] of cases) assert.deepEqual(problems(text), expected, text);
  });

  it('finds all mistakes of a file at once', () => {
    assert.deepEqual(problems('{\n"a": True,\n"b": 1.,\n"c": 1e999,\n"a": 2\n"d": 3}'), [
      'a.json:2:6  True is not JSON. Write true.',
      'a.json:3:6  1. is not a whole number or decimal: digits are missing.',
      'a.json:4:6  1e999 is too large for a number.',
      'a.json:5:1  a: the key is given twice; first in line 2, column 1. Keep one of the two.',
      'a.json:6:1  a comma is missing before "d".',
    ]);
  });

  it('refuses what cannot be read faithfully', () => {
    assert.deepEqual(problems('{"seed": 12345678901234567890}'), [
      'a.json:1:10  12345678901234567890 cannot be held exactly: whole numbers end at ±9007199254740991.',
    ]);
    assert.deepEqual(problems('{"seed": 9007199254740991}'), []);
    assert.deepEqual(problems('{"__proto__": {"x": 1}}'), [
      'a.json:1:2  __proto__: this key is not allowed. Choose another name.',
    ]);
  });

  it('answers to nesting of any depth without overflowing the stack', () => {
    const nest = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    assert.deepEqual(problems(nest(MAX_DEPTH)), []);
    assert.deepEqual(problems(nest(MAX_DEPTH + 1)), ['a.json:1:201  lists and objects nest more than 200 deep here.']);
    assert.equal(problems('{"a":'.repeat(1_000_000)).length, 1);
  });

  it('reads paths in both forms', () => {
    assert.deepEqual(parsePath('nodes.views/0.p'), ['nodes', 'views/0', 'p']);
    assert.deepEqual(parsePath('/nodes/views~10/layer.1'), ['nodes', 'views/0', 'layer.1']);
    const key = fc.string({ unit: fc.constantFrom('a', '.', '/', '~', '0'), minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.array(key, { minLength: 1, maxLength: 4 }), (path) => {
        assert.deepEqual(parsePath(formatPath(path)), path);
      }),
    );
  });
});
