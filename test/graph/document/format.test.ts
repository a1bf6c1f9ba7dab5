import assert from 'node:assert/strict';
import { type Upgrade, upgrade } from '../../../graph/document/format.ts';
import { type Dict, fromPlain, type JsonObject, toPlain, withEntry } from '../../../graph/document/located.ts';
import { Mistakes } from '../../../graph/document/mistakes.ts';
import { inFolder } from './folder.ts';

const read = (value: JsonObject) => fromPlain(value, { source: 'program' }) as Dict;

/** Two made-up steps: format 2 calls `steps` `nodes`, format 3 calls `nodes` `graph`. */
const rename =
  (from: string, to: string): Upgrade =>
  (document) =>
    withEntry(withEntry(document, to, document.entries.get(from)), from, undefined);
const UPGRADES = { 1: rename('steps', 'nodes'), 2: rename('nodes', 'graph') };

describe('graph/document/format', () => {
  it('brings an older document up step by step', () => {
    const mistakes = new Mistakes('schema');
    const upgraded = (value: JsonObject) => toPlain(upgrade(read(value), mistakes, UPGRADES, 3));
    assert.deepEqual(upgraded({ format: 1, steps: { a: 1 } }), { graph: { a: 1 } });
    assert.deepEqual(upgraded({ format: 2, nodes: { a: 1 } }), { graph: { a: 1 } });
    assert.deepEqual(upgraded({ format: 3, graph: { a: 1 } }), { graph: { a: 1 } });
    assert.deepEqual(upgraded({ graph: { a: 1 } }), { graph: { a: 1 } });
    assert.deepEqual(mistakes.found, []);
  });

  it('refuses a newer format and says what to do, and what is no format', async () => {
    await inFolder(
      {
        'newer.json': '{\n "format": 2, "nodes": {} }',
        'odd.json': '{\n "format": "1" }',
        'main.json': { extends: ['odd.json', 'newer.json'], format: 1 },
      },
      async (folder) => {
        assert.deepEqual(await folder.problems('main.json'), [
          'odd.json:2:12  format: is not a whole number from 1 up. Write 1, or leave it out.',
          'newer.json:2:12  format: the document is in format 2, this version of Pipe reads up to 1. Update Pipe.',
        ]);
      },
    );
  });
});
