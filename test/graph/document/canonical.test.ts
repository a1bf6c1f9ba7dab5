import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isLeft } from 'fp-ts/lib/Either.js';
import { canonical, toJson } from '../../../graph/document/canonical.ts';
import { type JsonObject, toPlain } from '../../../graph/document/located.ts';
import { parse } from '../../../graph/document/parse.ts';

function read(text: string): JsonObject {
  const parsed = parse(text, 'a.json');
  if (isLeft(parsed)) throw new Error(JSON.stringify(parsed.left));
  return toPlain(parsed.right) as JsonObject;
}

describe('graph/document/canonical', () => {
  it('writes sections in their order, short lists in one line, two spaces of indent', () => {
    const text = canonical({
      other: 1,
      hooks: [{ type: 'h' }],
      run: {},
      nodes: {
        b: { type: 'x', dims: [[1, 2], [3]], names: Array(12).fill('a rather long name') },
        a: { type: 'y', list: [] },
      },
      name: 'n',
      $schema: './s.json',
      format: 1,
    });
    assert.equal(
      text,
      `{
  "$schema": "./s.json",
  "format": 1,
  "name": "n",
  "nodes": {
    "b": {
      "type": "x",
      "dims": [[1, 2], [3]],
      "names": [
${Array(12).fill('        "a rather long name"').join(',\n')}
      ]
    },
    "a": {
      "type": "y",
      "list": []
    }
  },
  "run": {},
  "hooks": [
    {
      "type": "h"
    }
  ],
  "other": 1
}
`,
    );
  });

  it('is stable: what it wrote, read and written again, is the same, and says the same', () => {
    const key = fc.oneof(
      fc.constantFrom('nodes', 'run', 'format', '1', '0'),
      fc.string().filter((name) => name !== '__proto__'),
    );
    const number = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }));
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        number,
        fc.string({ unit: 'binary' }),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value')),
        tie('object'),
      ),
      object: fc.dictionary(key, tie('value'), { noNullPrototype: true }),
    }));
    fc.assert(
      fc.property(fc.dictionary(key, value, { noNullPrototype: true }), (document) => {
        const plain = JSON.parse(JSON.stringify(document));
        const text = canonical(plain);
        assert.deepEqual(JSON.parse(text), plain);
        if (/\d{16,}/.test(text)) return; // whole numbers that the reader refuses
        assert.deepEqual(read(text), plain);
        assert.equal(canonical(read(text)), text);
      }),
    );
  });

  it('writes one line for messages', () => {
    assert.equal(toJson({ a: [1, { b: 'x' }], c: {}, d: null }), '{ "a": [1, { "b": "x" }], "c": {}, "d": null }');
  });
});
