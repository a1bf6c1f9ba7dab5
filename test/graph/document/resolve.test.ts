// biome-ignore-all lint/suspicious/noTemplateCurlyInString: documents write their knobs so
import assert from 'node:assert/strict';
import { isLeft, isRight } from 'fp-ts/lib/Either.js';
import { canonical } from '../../../graph/document/canonical.ts';
import { MAX_DEPTH } from '../../../graph/document/located.ts';
import { resolveObject } from '../../../graph/document/resolve.ts';
import { formatProblem } from '../../../graph/problem.ts';
import { inFolder } from './folder.ts';

const MAIN = `{
  // the design's own example, shortened
  "$schema": "../schema/pipeline.schema.json",
  "name": "swav",
  "extends": ["./base/pretrain.json"],
  "knobs": { "data": "./images", "epochs": 100, "batch_size": 64, "crops": [2, 6] },
  "nodes": {
    "images": { "type": "dataset/disk_folder", "path": "\${data}/train" },
    "views":  { "type": "chain", "from": "images", "nodes": [
                { "type": "transform/multi_crop", "num_crops": "\${crops}" },
                { "type": "transform/normalize", "preset": "imagenet" }, ] },
    "batch":  { "type": "collator/multicrop", "from": "views", "batch_size": "\${batch_size}" },
    "sgd":    { "type": "optimizer/sgd", "lr": { "schedule": "cosine", "start": "0.3 * \${batch_size} / 256" } },
  },
  "run":   { "epochs": "\${epochs}", "phases": ["train"] },
}`;

const FILES = {
  'main.json': MAIN,
  'base/pretrain.json': { run: { seed: 0, epochs: 1 }, hooks: [{ type: 'hook/checkpoint', every: 'epoch' }] },
};

describe('graph/document/resolve', () => {
  it('resolves a whole document', async () => {
    await inFolder(FILES, async (folder) => {
      const document = await folder.document('main.json', { overrides: ['batch_size=512'] });
      assert.equal(document.file, `${folder.path}/main.json`);
      assert.equal(document.name, 'swav');
      assert.equal(document.format, 1);
      assert.deepEqual(document.value, {
        format: 1,
        name: 'swav',
        run: { seed: 0, epochs: 100, phases: ['train'] },
        hooks: [{ type: 'hook/checkpoint', every: 'epoch' }],
        nodes: {
          images: { type: 'dataset/disk_folder', path: './images/train' },
          'views/0': { type: 'transform/multi_crop', num_crops: [2, 6], from: 'images' },
          'views/1': { type: 'transform/normalize', preset: 'imagenet', from: 'views/0' },
          batch: { type: 'collator/multicrop', from: 'views/1', batch_size: 512 },
          sgd: { type: 'optimizer/sgd', lr: { schedule: 'cosine', start: 0.6 } },
        },
      });
      assert.deepEqual(document.nodes, document.value.nodes);
      assert.deepEqual(document.run, document.value.run);
      assert.deepEqual(document.hooks, document.value.hooks);
      assert.deepEqual(document.knobs, { data: './images', epochs: 100, batch_size: 512, crops: [2, 6] });
      assert.deepEqual(document.notes, []);
    });
  });

  it('places values, keys, and what is missing', async () => {
    await inFolder(FILES, async (folder) => {
      const document = await folder.document('main.json', { overrides: ['run.seed=3'] });
      const file = `${folder.path}/main.json`;
      assert.deepEqual(document.locate('nodes.batch.batch_size'), { file, line: 12, column: 78 });
      assert.deepEqual(document.locateKey('nodes.batch.batch_size'), { file, line: 12, column: 64 });
      assert.deepEqual(document.locate('nodes.views/1.preset'), { file, line: 11, column: 60 });
      assert.deepEqual(document.locate(['nodes', 'batch', 'drop_last']), { file, line: 12, column: 15 });
      assert.deepEqual(document.locateKey('/nodes/batch'), { file, line: 12, column: 5 });
      assert.deepEqual(document.locate('run.seed'), { file: 'override 1' });
      assert.equal(document.locate('hooks.0.every')!.file, `${folder.path}/base/pretrain.json`);
      assert.equal(document.origin('nodes.batch.drop_last'), undefined);
      assert.equal(document.origin('nodes.batch.from')!.source, 'document');
    });
  });

  it('gives a value that resolves to itself', async () => {
    await inFolder(FILES, async (folder) => {
      const { value } = await folder.document('main.json');
      const again = await resolveObject(value);
      assert.ok(isRight(again));
      assert.equal(canonical(again.right.value), canonical(value));
      assert.deepEqual(again.right.notes, []);
    });
  });

  it('collects the problems of overrides and knobs together', async () => {
    await inFolder({ 'main.json': '{ "knobs": { "n": 1 },\n"run": { "a": "${m}" } }' }, async (folder) => {
      assert.deepEqual(await folder.problems('main.json', { overrides: ['k=1'] }), [
        'override 1  k: there is no knob or section k. Did you mean "n"?',
        'main.json:2:15  run.a: there is no knob m. Did you mean "n"?',
      ]);
    });
  });

  it('asks hooks for their type', async () => {
    await inFolder({ 'main.json': '{ "hooks": [\n{ "every": 1 }] }' }, async (folder) => {
      assert.deepEqual(await folder.problems('main.json'), [
        'main.json:2:1  hooks.0: the hook has no type. Add "type": "…".',
      ]);
    });
  });

  describe('of a document built in a program', () => {
    it('has no places, and parts and overrides as any other', async () => {
      await inFolder(FILES, async (folder) => {
        const built = {
          extends: 'base/pretrain.json',
          knobs: { n: 2 },
          nodes: { a: { type: 't', n: '${n}', none: undefined } },
        };
        const result = await resolveObject(built, { cwd: folder.path, overrides: ['n=3'] });
        assert.ok(isRight(result));
        assert.deepEqual(result.right.nodes, { a: { type: 't', n: 3 } });
        assert.deepEqual(result.right.run, { seed: 0, epochs: 1 });
        assert.equal(result.right.file, undefined);
        assert.equal(result.right.name, 'pipeline');
        assert.equal(result.right.locate('nodes.a.type'), undefined);
        assert.equal(result.right.origin('nodes.a.type')!.source, 'program');
      });
    });

    it('must be JSON', async () => {
      const circle: Record<string, unknown> = {};
      circle.again = circle;
      const result = await resolveObject({
        run: { a: Number.NaN, b: () => 1, c: new Date(0), d: [undefined], e: JSON.parse('{"__proto__": 1}'), f: 1n },
        knobs: circle,
      });
      assert.ok(isLeft(result));
      assert.deepEqual(
        result.left.map((problem) => formatProblem(problem)),
        [
          'run.a: NaN is not a JSON number.',
          'run.b: a function is not JSON.',
          'run.c: a Date is not JSON.',
          'run.d.0: undefined is not JSON.',
          'run.e: the key __proto__ is not allowed.',
          'run.f: a bigint is not JSON.',
          `knobs${'.again'.repeat(MAX_DEPTH)}: lists and objects nest more than ${MAX_DEPTH} deep, or contain themselves.`,
        ],
      );
      const number = await resolveObject(3);
      assert.ok(isLeft(number));
      assert.deepEqual(
        number.left.map((problem) => formatProblem(problem)),
        ['a pipeline is an object. Write { "nodes": { } }.'],
      );
    });
  });

  it('reads a document of 10,000 nodes, extended, overridden, with knobs and chains', async () => {
    const nodes: Record<string, unknown> = {};
    for (let i = 0; i < 10_000; i++)
      nodes[`n${i}`] = { type: 't', from: i ? `n${i - 1}` : 's', k: '${k} * 2', p: { a: [1, 2, 3], b: 'x' } };
    const members = Array.from({ length: 10_000 }, (_, i) => ({ type: 't', i }));
    await inFolder(
      {
        'base.json': { knobs: { k: 1 }, nodes },
        'main.json': {
          extends: 'base.json',
          nodes: { ...nodes, chain: { type: 'chain', from: 'n9', nodes: members }, last: { type: 't', from: 'chain' } },
        },
      },
      async (folder) => {
        const overrides = Array.from({ length: 100 }, (_, i) => `nodes.n${i}.p.b=y`);
        const document = await folder.document('main.json', { overrides: ['k=4', ...overrides] });
        assert.equal(Object.keys(document.nodes).length, 20_001);
        assert.deepEqual(document.nodes.n99, { type: 't', from: 'n98', k: 8, p: { a: [1, 2, 3], b: 'y' } });
        assert.equal(document.nodes.last!.from, 'chain/9999');
        assert.equal(document.overrides.length, 101);
        assert.equal(canonical(document.value).split('\n').length > 100_000, true);
      },
    );
  });
});
