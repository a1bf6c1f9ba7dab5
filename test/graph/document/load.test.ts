import assert from 'node:assert/strict';
import { formatOrigin } from '../../../graph/document/located.ts';
import { inFolder } from './folder.ts';

describe('graph/document/load', () => {
  it('merges what is extended: objects merge, lists and scalars replace, later wins', async () => {
    await inFolder(
      {
        'base/a.json': { run: { seed: 1, phases: ['train', 'test'] }, nodes: { loss: { type: 'loss/x', t: 1, s: 1 } } },
        'base/b.json': { run: { seed: 2, workers: 4 }, nodes: { loss: { type: 'loss/x', t: 2 } } },
        'main.json': { extends: ['base/a.json', './base/b'], run: { phases: ['train'] }, nodes: { loss: { t: 3 } } },
      },
      async (folder) => {
        const { value } = await folder.document('main.json');
        assert.deepEqual(value, {
          format: 1,
          name: 'main',
          run: { seed: 2, phases: ['train'], workers: 4 },
          nodes: { loss: { type: 'loss/x', t: 3, s: 1 } },
        });
      },
    );
  });

  it('drops the other keys of a node whose type changes, and of a schedule that becomes another', async () => {
    await inFolder(
      {
        'base.json': {
          nodes: {
            loss: { type: 'loss/a', queue: 3 },
            sgd: { type: 'optimizer/sgd', momentum: 0.9, lr: { schedule: 'step', milestones: [1] } },
          },
        },
        'main.json': {
          extends: 'base.json',
          nodes: { loss: { type: 'loss/b', t: 1 }, sgd: { lr: { schedule: 'cosine', start: 1 } } },
        },
      },
      async (folder) => {
        const { nodes } = await folder.document('main.json');
        assert.deepEqual(nodes, {
          loss: { type: 'loss/b', t: 1 },
          sgd: { type: 'optimizer/sgd', momentum: 0.9, lr: { schedule: 'cosine', start: 1 } },
        });
      },
    );
  });

  it('removes nodes and hooks that are null, and asks about a name that is not there', async () => {
    await inFolder(
      {
        'base.json': { nodes: { a: { type: 'x' }, b: { type: 'y', p: null } }, hooks: [{ type: 'h' }] },
        'main.json': { extends: 'base.json', nodes: { a: null }, hooks: [null, { type: 'k' }] },
        'none.json': { extends: 'base.json', hooks: null },
        'wrong.json': '{\n "extends": "base.json",\n "nodes": { "aa": null }\n}',
      },
      async (folder) => {
        const { nodes, hooks } = await folder.document('main.json');
        assert.deepEqual(nodes, { b: { type: 'y', p: null } });
        assert.deepEqual(hooks, [{ type: 'k' }]);
        assert.deepEqual((await folder.document('none.json')).hooks, []);
        assert.deepEqual(await folder.problems('wrong.json'), [
          'wrong.json:3:13  nodes.aa: null removes a node of a document that is extended; none has this name. Did you mean "a"?',
        ]);
      },
    );
  });

  it('merges a base that is reached twice once, before all that builds on it', async () => {
    await inFolder(
      {
        'base.json': { run: { seed: 1, workers: 1 } },
        'b.json': { extends: 'base.json', run: { seed: 2 } },
        'c.json': { extends: 'base.json', run: { workers: 3 } },
        'main.json': { extends: ['b.json', 'c.json'] },
      },
      async (folder) => {
        assert.deepEqual((await folder.document('main.json')).run, { seed: 2, workers: 3 });
        assert.deepEqual((await folder.document('b.json', { with: ['c.json'] })).run, { seed: 2, workers: 3 });
      },
    );
  });

  it('merges parts last, in order, each with what it extends', async () => {
    await inFolder(
      {
        'main.json': { name: 'mine', run: { seed: 1, epochs: 1 } },
        'parts/common.json': { run: { seed: 2, epochs: 2 } },
        'parts/one.json': { name: 'one', extends: './common.json', run: { seed: 3 } },
        'parts/two.json': { run: { seed: 4 } },
      },
      async (folder) => {
        const document = await folder.document('main.json', { with: ['parts/one.json', 'parts/two.json'] });
        assert.deepEqual(document.run, { seed: 4, epochs: 2 });
        assert.equal(document.name, 'mine');
        assert.equal(formatOrigin(document.origin('run.seed')!, folder.path), 'part parts/two.json:1:16');
        assert.equal(formatOrigin(document.origin('run.epochs')!, folder.path), 'part parts/common.json:1:27');
      },
    );
  });

  it('finds shipped pipelines by name; a file beside the document comes first', async () => {
    await inFolder(
      {
        'pipelines/quick/swav.json': { extends: '../base/pretrain.json', run: { epochs: 2 } },
        'pipelines/base/pretrain.json': { run: { workers: 4 } },
        'mine.json': { extends: 'quick/swav', run: { seed: 7 } },
        'quick/moco.json': { run: { seed: 1 } },
        'pipelines/quick/moco.json': { run: { seed: 2 } },
      },
      async (folder) => {
        assert.deepEqual((await folder.document('quick/swav')).run, { workers: 4, epochs: 2 });
        assert.deepEqual((await folder.document('mine')).run, { workers: 4, epochs: 2, seed: 7 });
        assert.deepEqual((await folder.document('quick/moco')).run, { seed: 1 });
      },
    );
  });

  it('says which documents exist when one is missing', async () => {
    await inFolder(
      {
        'pipelines/quick/swav.json': {},
        'main.json': '{\n  "extends": ["./bsae.json", "quick/sawv"]\n}',
        'base.json': {},
        'notes.txt': 'x',
      },
      async (folder) => {
        assert.deepEqual(await folder.problems('main.json'), [
          'main.json:2:15  extends: there is no document "./bsae.json": ./bsae.json does not exist. Did you mean "./base.json"?',
          'main.json:2:30  extends: there is no document "quick/sawv", neither in . nor among the shipped pipelines. Did you mean "quick/swav"?',
        ]);
        assert.deepEqual(await folder.problems('mian.json'), [
          'there is no document "mian.json", neither in . nor among the shipped pipelines. Did you mean "main.json"?',
        ]);
        assert.deepEqual(await folder.problems('notes.txt'), [
          '"notes.txt" is not a .json file. Name a pipeline document, which ends in .json.',
        ]);
      },
    );
  });

  it('prints a circle of extends', async () => {
    await inFolder(
      {
        'a.json': { extends: 'b.json' },
        'b.json': { extends: './c.json' },
        'c.json': { extends: 'b.json' },
      },
      async (folder) => {
        assert.deepEqual(await folder.problems('a.json'), [
          'c.json:1:12  extends: the documents extend each other in a circle: b.json → c.json → b.json.',
        ]);
      },
    );
  });

  it('reports the mistakes of all files at once', async () => {
    await inFolder(
      {
        'main.json':
          '{\n "extends": "base.json",\n "ndoes": {},\n "hooks": {},\n "nodes": { "a b": {"type": "x"}, "c": 3 }\n}',
        'base.json': '{\n "run": [1],\n "name": 3,\n "knobs": { "2d": 1 } }',
      },
      async (folder) => {
        assert.deepEqual(await folder.problems('main.json', { with: ['nowhere.json'] }), [
          'main.json:3:2  ndoes: no such section in a pipeline. Did you mean "nodes"?',
          'main.json:4:11  hooks: is an object, not a list. Write [{ "type": … }].',
          'main.json:5:13  nodes.a b: "a b" is no name for a node. A name holds letters, digits, _ and -.',
          'main.json:5:40  nodes.c: is a number, not an object. Write { "type": … }, or null to remove it.',
          'base.json:2:9  run: is a list, not an object. Write "run": { }.',
          'base.json:3:10  name: is a number, not a text.',
          'base.json:4:13  knobs.2d: "2d" is no name for a knob. A name holds letters, digits and _, and begins with no digit.',
          '--with: there is no document "nowhere.json", neither in . nor among the shipped pipelines. There are: base.json, main.json.',
        ]);
      },
    );
  });

  it('takes no name, description or schema from what it extends', async () => {
    await inFolder(
      {
        'base.json': { $schema: './s.json', name: 'base', description: 'shared settings', run: { seed: 1 } },
        'swav.json': { extends: 'base.json' },
        'named.json': { extends: 'base.json', name: 'mine', description: 'my own' },
      },
      async (folder) => {
        assert.deepEqual((await folder.document('swav.json')).value, { format: 1, name: 'swav', run: { seed: 1 } });
        const named = (await folder.document('named.json')).value;
        assert.deepEqual([named.name, named.description], ['mine', 'my own']);
      },
    );
  });
});
