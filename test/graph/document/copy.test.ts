import assert from 'node:assert/strict';
import { inFolder } from './folder.ts';

async function nodes(main: Record<string, unknown>): Promise<Record<string, unknown>> {
  let result: Record<string, unknown> = {};
  await inFolder({ 'main.json': { nodes: main } }, async (folder) => {
    result = (await folder.document('main.json')).nodes;
  });
  return result;
}

async function problems(lines: readonly string[]): Promise<string[]> {
  let result: string[] = [];
  await inFolder({ 'main.json': `{ "nodes": {\n${lines.join(',\n')}\n} }` }, async (folder) => {
    result = await folder.problems('main.json');
  });
  return result;
}

const ORIGINALS = {
  trunk: {
    type: 'trunk/t',
    inputs: { images: { train: 'batch.images', test: 'test.images' } },
    depth: 18,
    weights: 'w',
  },
  head: {
    type: 'chain',
    from: 'trunk.res5',
    nodes: [
      { type: 'head/a', frozen: true },
      { type: 'head/b', name: 'last' },
    ],
  },
};

describe('graph/document/copy', () => {
  it('a momentum copy repeats type and params, keeps inner wires and takes its own inputs', async () => {
    const found = await nodes({
      ...ORIGINALS,
      keys: {
        type: 'model/momentum',
        of: ['trunk', 'head'],
        inputs: { images: 'batch.key' },
        momentum: 0.9,
        shuffle: true,
        stream: 'k',
      },
      loss: { type: 'loss/l', inputs: { key: 'keys.embeddings', all: ['keys', 'keys/trunk.res5'] } },
    });
    const follows = (node: string) => ({ node, momentum: 0.9, shuffle: true });
    assert.deepEqual(found['keys/trunk'], {
      type: 'trunk/t',
      depth: 18,
      stream: 'k',
      inputs: { images: 'batch.key' },
      follows: follows('trunk'),
    });
    assert.deepEqual(found['keys/head/0'], {
      type: 'head/a',
      stream: 'k',
      from: 'keys/trunk.res5',
      follows: follows('head/0'),
    });
    assert.deepEqual(found['keys/head/last'], {
      type: 'head/b',
      stream: 'k',
      from: 'keys/head/0',
      follows: follows('head/last'),
    });
    assert.deepEqual(found.loss, {
      type: 'loss/l',
      inputs: { key: 'keys/head/last.embeddings', all: ['keys/head/last', 'keys/trunk.res5'] },
    });
    assert.equal(found.keys, undefined);
  });

  it('an applied model shares; of a shared one, with the owner', async () => {
    const found = await nodes({
      ...ORIGINALS,
      patches: { type: 'model/apply', of: 'trunk', from: 'batch.patches' },
      again: { type: 'model/apply', of: 'patches', inputs: { images: 'batch.more' }, phase: 'test' },
      slow: { type: 'model/momentum', of: 'again', from: 'batch.x' },
      frozen: { type: 'model/apply', of: 'head', inputs: { features: 'again' } },
    });
    const copy = { type: 'trunk/t', depth: 18 };
    assert.deepEqual(found['patches/trunk'], { ...copy, from: 'batch.patches', shares: 'trunk' });
    assert.deepEqual(found['again/patches/trunk'], {
      ...copy,
      inputs: { images: 'batch.more' },
      shares: 'trunk',
      phase: 'test',
    });
    assert.deepEqual(found['slow/again/patches/trunk'], { ...copy, from: 'batch.x', follows: { node: 'trunk' } });
    assert.deepEqual(found['frozen/head/0'], {
      type: 'head/a',
      frozen: true,
      inputs: { features: 'again/patches/trunk' },
      shares: 'head/0',
    });
  });

  it('a copy of a momentum copy is not trained either', async () => {
    const found = await nodes({
      ...ORIGINALS,
      ema: { type: 'model/momentum', of: 'trunk', from: 'batch.a' },
      other: { type: 'model/apply', of: 'ema', from: 'batch.b' },
    });
    assert.deepEqual(found['other/ema/trunk'], {
      type: 'trunk/t',
      depth: 18,
      from: 'batch.b',
      frozen: 'parameters',
      shares: 'ema/trunk',
    });
  });

  it('mistakes are all told, with place and cure', async () => {
    const found = await problems([
      '"trunk": { "type": "trunk/t", "inputs": { "images": "batch.images" } }',
      '"a": { "type": "model/apply", "of": "trnk", "from": "x" }',
      '"b": { "type": "model/apply", "from": "x" }',
      '"c": { "type": "model/momentum", "of": "trunk", "from": "x", "momentm": 0.9 }',
      '"d": { "type": "model/apply", "of": "trunk", "inputs": { "image": "x" }, "momentum": 1 }',
      '"e": { "type": "model/momentum", "of": ["e"] }',
      '"f": { "type": "model/momentum", "of": "c", "from": "x" }',
      '"g": { "type": "model/apply", "of": "h" }',
      '"h": { "type": "model/apply", "of": "g" }',
      '"i": { "type": "model/apply", "of": [1] }',
    ]);
    assert.deepEqual(found, [
      'main.json:4:1  b.of: is missing: it names the nodes to copy. Write "of": ["trunk"].',
      'main.json:11:37  i.of: is a list without names: it names the nodes to copy. Write "of": ["trunk"].',
      'main.json:3:37  a.of: there is no node "trnk". Did you mean "trunk"?',
      'main.json:5:62  c.momentm: model/momentum has no such key. Did you mean "momentum"?',
      'main.json:6:74  d.momentum: model/apply has no such key. There are: type, of, inputs, from, phase, stream.',
      'main.json:6:58  d.image: nothing that is copied takes this input. Did you mean "images"?',
      'main.json:7:40  e.of: it copies itself. Name other nodes in "of".',
      'main.json:8:40  f: c/trunk is a momentum copy itself. Name what it follows.',
      'main.json:9:37  g.of: it copies itself. Name other nodes in "of".',
      'main.json:10:37  h.of: it copies itself. Name other nodes in "of".',
    ]);
  });
});
