import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { eachElement } from '../../runtime/data/json-elements.ts';
import { temporaryFolder } from './fixtures.ts';

describe('large JSON, element by element', () => {
  const { path, remove } = temporaryFolder();
  after(remove);
  const read = async (text: string, keys = ['a', 'b']) => {
    const file = join(path, 'x.json');
    writeFileSync(file, text);
    const found: [string, unknown][] = [];
    await eachElement(file, keys, (key, element) => found.push([key, element]));
    return found;
  };

  it('gives the elements of the arrays that are asked for, in order, and no others', async () => {
    const value = {
      info: { a: [9], text: 'a "quoted" [text], \\ {' },
      c: [1, 2],
      a: [{ x: [1, [2]], s: '}]"\\' }, 'text, with ]', 5, -1.5e3, null, true, [], {}],
      n: 4,
      b: [],
      s: 'a',
    };
    for (const text of [JSON.stringify(value), JSON.stringify(value, null, 2)]) {
      assert.deepEqual(
        await read(text),
        value.a.map((element) => ['a', element]),
      );
    }
  });

  it('is as JSON.parse for anything', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue()), fc.array(fc.jsonValue()), fc.jsonValue(), async (a, b, other) => {
        const want = [...a.map((x) => ['a', x]), ...b.map((x) => ['b', x])];
        const text = JSON.stringify({ other, a, more: [other], b });
        assert.deepEqual(await read(text), JSON.parse(JSON.stringify(want)));
      }),
      { numRuns: 100, seed: 4 },
    );
  });

  it('reads across pieces of the file', async () => {
    const a = Array.from({ length: 90_000 }, (_, i) => ({ id: i, name: `ü "${i}"`, box: [i, [i]] }));
    const found = await read(JSON.stringify({ a }), ['a']);
    assert.deepEqual(
      found.map(([, element]) => element),
      a,
    );
  });

  it('refuses what is not an object, cut off, or no JSON', async () => {
    await assert.rejects(read('[1]'), /x\.json is not valid JSON: it is not an object/);
    await assert.rejects(read('3'), /it is not an object/);
    await assert.rejects(read('{"a": [1, 2'), /it ends too early/);
    await assert.rejects(read(''), /it ends too early/);
    await assert.rejects(read('{"a": [1]} {'), /more follows after its end/);
    await assert.rejects(read('{"a": [{"x": nope}]}'), /x\.json is not valid JSON: .*nope|Unexpected token/);
  });
});
