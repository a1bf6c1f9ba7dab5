// biome-ignore-all lint/suspicious/noTemplateCurlyInString: documents write their knobs so
import assert from 'node:assert/strict';
import type { Owner } from '../../../graph/document/override-rules.ts';
import { parseOverride } from '../../../graph/document/override-text.ts';
import type { ResolvedDocument, ResolveOptions } from '../../../graph/document/resolve.ts';
import { inFolder } from './folder.ts';

const MAIN = {
  knobs: { epochs: 100, crops: [2, 6], data: './images' },
  nodes: {
    images: { type: 'dataset/disk_folder', path: '${data}/train' },
    views: {
      type: 'chain',
      from: 'images',
      nodes: [
        { type: 't/a', p: 0.5 },
        { type: 't/b', name: 'blur', p: 0.1 },
      ],
    },
    loss: { type: 'loss/swav', temperature: 0.1, name_of: 'x', queue: { length: 3 }, eps: null, on: true },
  },
  run: { epochs: '${epochs}', seed: 0 },
  hooks: [{ type: 'hook/checkpoint', every: 1 }],
};

async function apply(overrides: string[], options: ResolveOptions = {}): Promise<ResolvedDocument> {
  let document: ResolvedDocument | undefined;
  await inFolder({ 'main.json': MAIN }, async (folder) => {
    document = await folder.document('main.json', { ...options, overrides });
  });
  return document!;
}

async function problems(overrides: string[], options: ResolveOptions = {}): Promise<string[]> {
  let result: string[] = [];
  await inFolder({ 'main.json': MAIN }, async (folder) => {
    result = await folder.problems('main.json', { ...options, overrides });
  });
  return result;
}

describe('graph/document/override', () => {
  it('reads values as JSON, else as lists with bare words, else as text', () => {
    const cases: [string, unknown][] = [
      ['a=5', 5],
      ['a=-1e-3', -0.001],
      ['a=true', true],
      ['a=null', null],
      ['a="5"', '5'],
      ['a={"b": [1]}', { b: [1] }],
      ['a=[1,2]', [1, 2]],
      ['a=[a, b c ,"d,e",[x],{"y":"]"}, ${z}]', ['a', 'b c', 'd,e', ['x'], { y: ']' }, '${z}']],
      ['a=[]', []],
      ['a=[1,]', [1]],
      ['a=./data=x', './data=x'],
      ['a=', ''],
      ['a=3d', '3d'],
      ['a=2024-05-01', '2024-05-01'],
      ['a=.5', '.5'],
      ['a=truely', 'truely'],
    ];
    for (const [text, value] of cases) assert.deepEqual(parseOverride(text), { adds: false, path: 'a', value }, text);
    assert.deepEqual(parseOverride('+a.b = 1'), { adds: true, path: 'a.b', value: 1 });
  });

  it('refuses values that begin as JSON and do not end so', () => {
    for (const text of [
      'a={b: 1}',
      'a="x',
      'a=[1',
      'a=[1 2]x',
      'a=[,]',
      'a=["x]',
      'a=1e999',
      'a=12345678901234567890',
      'a',
      '=1',
      '+run.__proto__=1',
    ]) {
      assert.throws(() => parseOverride(text), SyntaxError, text);
    }
    assert.throws(() => parseOverride(`a=${'['.repeat(100_000)}`), /nests more than 200 deep/);
  });

  it('sets knobs, values, items of lists and members of chains, and says what it did', async () => {
    const document = await apply([
      'epochs=5',
      'crops.1=4',
      'nodes.loss.temperature=1',
      'nodes.loss.queue.length=0',
      'hooks.0.every=2',
      'nodes.views/0.p=1',
      'nodes.views/blur.p=0',
      'name=mine',
    ]);
    assert.deepEqual(
      document.overrides.map(({ text }) => text),
      [
        'epochs: 100 → 5',
        'crops.1: 6 → 4',
        'nodes.loss.temperature: 0.1 → 1',
        'nodes.loss.queue.length: 3 → 0',
        'hooks.0.every: 1 → 2',
        'nodes.views.nodes.0.p: 0.5 → 1',
        'nodes.views.nodes.1.p: 0.1 → 0',
        'name: "main" → "mine"',
      ],
    );
    assert.deepEqual(document.run.epochs, 5);
    assert.deepEqual(document.knobs.crops, [2, 4]);
    assert.deepEqual(document.nodes['views/blur']!.p, 0);
    assert.deepEqual(document.nodes['views/0']!.p, 1);
    assert.deepEqual(document.hooks, [{ type: 'hook/checkpoint', every: 2 }]);
    assert.equal(document.name, 'mine');
    assert.deepEqual(document.origin('nodes.loss.temperature'), { source: 'override', place: { file: 'override 3' } });
  });

  it('applies in order: a later one sees the earlier', async () => {
    const document = await apply(['epochs=5', 'epochs=6', 'nodes.loss.queue=null', 'nodes.loss.queue=7']);
    assert.deepEqual(
      document.overrides.map(({ text }) => text),
      ['epochs: 100 → 5', 'epochs: 5 → 6', 'nodes.loss.queue: { "length": 3 } → null', 'nodes.loss.queue: null → 7'],
    );
    assert.equal(document.nodes.loss!.queue, 7);
  });

  it('adds with +, and not what is there', async () => {
    const document = await apply([
      '+nodes.loss.note=x',
      '+run.workers=2',
      '+hooks.1={"type":"hook/log"}',
      '+knobs.extra=1',
      '+description=mine',
    ]);
    assert.equal(document.nodes.loss!.note, 'x');
    assert.equal(document.run.workers, 2);
    assert.deepEqual(document.hooks[1], { type: 'hook/log' });
    assert.equal(document.value.description, 'mine');
    assert.equal(document.overrides[0]!.text, 'nodes.loss.note: added "x"');

    assert.deepEqual(
      await problems(['+run.seed=1', '+nodes.los.x=1', '+hooks.4={}', '+nodes.loss.eps.x=1', '+hoks=[]', '+extends=a']),
      [
        'override 1  run.seed: already is 0, so it cannot be added. Write run.seed=… without the +.',
        'override 2  nodes.los.x: there is no nodes.los to add to. Did you mean "loss"?',
        'override 3  hooks.4: a list of 1 grows at its end. Write +hooks.1=….',
        'override 4  nodes.loss.eps.x: nodes.loss.eps is null, nothing can be added to it.',
        'override 5  hoks: no such section can be added. Did you mean "hooks"?',
        'override 6  extends: no such section can be added. There are: name, description, inputs, outputs, knobs, nodes, run, hooks.',
      ],
    );
  });

  it('refuses a value of another kind and shows both', async () => {
    assert.deepEqual(
      await problems([
        'nodes.loss.temperature=warm',
        'crops=2',
        'nodes.loss.queue=3',
        'nodes.loss.on=1',
        'nodes.loss.name_of=5',
        'hooks=x',
      ]),
      [
        'override 1  nodes.loss.temperature: is a number, 0.1; "warm" is a text. If that is meant, write nodes.loss.temperature=null first.',
        'override 2  knobs.crops: is a list, [2, 6]; 2 is a number. If that is meant, write crops=null first.',
        'override 3  nodes.loss.queue: is an object, { "length": 3 }; 3 is a number. If that is meant, write nodes.loss.queue=null first.',
        'override 4  nodes.loss.on: is true or false, true; 1 is a number. If that is meant, write nodes.loss.on=null first.',
        `override 5  nodes.loss.name_of: is a text, "x"; 5 is a number. Write nodes.loss.name_of='"5"' for the text.`,
        'override 6  hooks: is a list, [{ "type": "hook/checkpoint", "every": 1 }]; "x" is a text. If that is meant, write hooks=null first.',
      ],
    );
  });

  it('lets integers become decimals, null go with all, and texts with knobs be anything', async () => {
    const document = await apply([
      'nodes.loss.eps=[1]',
      'run.seed=0.5',
      'run.epochs=3',
      'nodes.loss.temperature=0.1 * ${epochs}',
    ]);
    assert.deepEqual(document.nodes.loss!.eps, [1]);
    assert.deepEqual(document.run, { epochs: 3, seed: 0.5 });
    assert.equal(document.nodes.loss!.temperature, 10);
  });

  it('suggests the nearest for an unknown path', async () => {
    assert.deepEqual(
      await problems([
        'epohcs=5',
        'nodes.loss.temprature=1',
        'temperature=2',
        'nodes.lss.temperature=1',
        'zzzzz=1',
        'nodes.loss.zzzzz=1',
        'x',
      ]),
      [
        'override 1  epohcs: there is no knob or section epohcs. Did you mean "epochs"?',
        'override 2  nodes.loss.temprature: there is no temprature in nodes.loss. Did you mean "temperature"?',
        'override 3  temperature: there is no knob or section temperature. Did you mean "nodes.loss.temperature"?',
        'override 4  nodes.lss.temperature: there is no lss in nodes. Did you mean "loss"?',
        'override 5  zzzzz: there is no knob or section zzzzz. Name a knob, or a path such as nodes.loss.temperature.',
        'override 6  nodes.loss.zzzzz: there is no zzzzz in nodes.loss. Write +nodes.loss.zzzzz=… to add it.',
        'override 7  "x" is not of the form key=value. Write key=value, or +key=value to add a key; quote text that JSON would read otherwise.',
      ],
    );
  });

  it('sets what only a node type knows, and asks it about the right owner', async () => {
    const asked: [string, Owner | undefined][] = [];
    const isKnownPath: ResolveOptions['isKnownPath'] = (path, owner) => {
      asked.push([path.join(' '), owner]);
      return owner ? owner.path[0] === 'epsilon' || owner.path.join('.') === 'larc.clip' : path[1] === 'precision';
    };
    const overrides = [
      'nodes.loss.epsilon=0.03',
      'nodes.views/blur.epsilon=1',
      'run.precision=bfloat16',
      'hooks.0.epsilon=2',
      'nodes.loss.larc.clip=true',
    ];
    const document = await apply(overrides, { isKnownPath });
    assert.deepEqual(asked, [
      ['nodes loss epsilon', { type: 'loss/swav', path: ['epsilon'] }],
      ['nodes views nodes 1 epsilon', { type: 't/b', path: ['epsilon'] }],
      ['run precision', undefined],
      ['hooks 0 epsilon', { type: 'hook/checkpoint', path: ['epsilon'] }],
      ['nodes loss larc clip', { type: 'loss/swav', path: ['larc', 'clip'] }],
    ]);
    assert.equal(document.nodes.loss!.epsilon, 0.03);
    assert.equal(document.nodes['views/blur']!.epsilon, 1);
    assert.deepEqual(document.nodes.loss!.larc, { clip: true });
    assert.equal(document.overrides[0]!.text, 'nodes.loss.epsilon: added 0.03');

    const knownKeys: ResolveOptions['knownKeys'] = (_parent, owner) =>
      owner?.type === 'loss/swav' ? ['epsilon', 'num_iters'] : [];
    assert.deepEqual(await problems(['nodes.loss.num_iter=3'], { isKnownPath, knownKeys }), [
      'override 1  nodes.loss.num_iter: there is no num_iter in nodes.loss. Did you mean "num_iters"?',
    ]);
  });

  it('makes the section run for a setting that is known', async () => {
    await inFolder({ 'main.json': {} }, async (folder) => {
      const isKnownPath: ResolveOptions['isKnownPath'] = (path) => path.join('.') === 'run.seed';
      const { run } = await folder.document('main.json', { overrides: ['run.seed=3'], isKnownPath });
      assert.deepEqual(run, { seed: 3 });
      assert.deepEqual(await folder.problems('main.json', { overrides: ['run.sed=3'], isKnownPath }), [
        'override 1  run.sed: there is no sed in run. Write +run.sed=… to add it.',
      ]);
    });
  });

  it('removes a node or hook that is set to null', async () => {
    const document = await apply(['nodes.loss=null', 'hooks.0=null']);
    assert.deepEqual(Object.keys(document.nodes), ['images', 'views/0', 'views/blur']);
    assert.deepEqual(document.hooks, []);
  });

  it('checks the document again that overrides have made', async () => {
    assert.deepEqual(await problems(['+nodes.a b={"type": "x"}', '+nodes.c=3', '+knobs.2=1']), [
      'override 3  knobs.2: "2" is no name for a knob. A name holds letters, digits and _, and begins with no digit.',
      'override 1  nodes.a b: "a b" is no name for a node. A name holds letters, digits, _ and -.',
      'override 2  nodes.c: is a number, not an object. Write { "type": … }, or null to remove it.',
    ]);
  });

  it('reaches keys that hold a dot by a pointer', async () => {
    await inFolder({ 'main.json': { run: { 'a.b': 1 } } }, async (folder) => {
      const { run, overrides } = await folder.document('main.json', { overrides: ['/run/a.b=2'] });
      assert.deepEqual(run, { 'a.b': 2 });
      assert.equal(overrides[0]!.text, '/run/a.b: 1 → 2');
    });
  });
});
