import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Dict, fromPlain, type Json, type JsonObject, toPlain } from '../../../graph/document/located.ts';
import { mergeDocuments } from '../../../graph/document/merge.ts';
import { Mistakes } from '../../../graph/document/mistakes.ts';

const merge = (earlier: Json, later: Json): JsonObject => {
  const read = (value: Json) => fromPlain(value, { source: 'program' }) as Dict;
  return toPlain(mergeDocuments(read(earlier), read(later), new Mistakes('schema'))) as JsonObject;
};

/** Documents over few keys, so that they meet. A key either always holds an object or never does. */
const document = objects(3);

function objects(depth: number): fc.Arbitrary<JsonObject> {
  const leaf = fc.oneof(fc.integer(), fc.boolean(), fc.array(fc.integer(), { maxLength: 2 }), fc.constant(null));
  const leaves = fc.dictionary(fc.constantFrom('x', 'y', 'z'), leaf, { maxKeys: 3, noNullPrototype: true });
  if (depth === 0) return leaves;
  const inner = fc.dictionary(fc.constantFrom('a', 'b', 'nodes'), objects(depth - 1), { noNullPrototype: true });
  return fc.tuple(inner, leaves).map(([below, here]) => ({ ...below, ...here }));
}

describe('graph/document/merge', () => {
  it('is associative where no object meets another kind and no node changes its type', () => {
    fc.assert(
      fc.property(document, document, document, (a, b, c) => {
        assert.deepEqual(merge(merge(a, b), c), merge(a, merge(b, c)));
      }),
    );
  });

  it('has the empty document as its neutral element and is idempotent', () => {
    fc.assert(
      fc.property(document, (a) => {
        assert.deepEqual(merge(a, {}), a);
        assert.deepEqual(merge({}, a), a);
        assert.deepEqual(merge(a, a), a);
      }),
    );
  });

  it('leaves the merged documents as they were', () => {
    const earlier = fromPlain({ nodes: { a: { type: 'x', p: 1 } } }, { source: 'program' }) as Dict;
    const later = fromPlain({ nodes: { a: { p: 2 } } }, { source: 'program' }) as Dict;
    mergeDocuments(earlier, later, new Mistakes('schema'));
    assert.deepEqual(
      [toPlain(earlier), toPlain(later)],
      [{ nodes: { a: { type: 'x', p: 1 } } }, { nodes: { a: { p: 2 } } }],
    );
  });

  it('replaces a node by type only where it is a node', () => {
    const before = { nodes: { a: { type: 'x', p: 1, inner: { type: 'i', q: 1 } } } };
    assert.deepEqual(merge(before, { nodes: { a: { inner: { type: 'j' } } } }), {
      nodes: { a: { type: 'x', p: 1, inner: { type: 'j', q: 1 } } },
    });
    assert.deepEqual(merge(before, { nodes: { a: { type: 'y' } } }), { nodes: { a: { type: 'y' } } });
    assert.deepEqual(merge(before, { nodes: { a: { type: 'x', r: 2 } } }).nodes, {
      a: { type: 'x', p: 1, inner: { type: 'i', q: 1 }, r: 2 },
    });
  });
});
