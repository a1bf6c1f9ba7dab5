import assert from 'node:assert/strict';
import { type Doc, graphOf, problemsOf, swavDocument } from '../fixtures/documents.ts';

/** The SwAV document with params of one node changed; undefined removes one. */
function changed(node: string, params: Record<string, unknown>): Doc {
  const document = swavDocument();
  Object.assign(document.nodes[node]!, params);
  return document;
}

const refused = async (node: string, params: Record<string, unknown>, ...expected: string[]) =>
  assert.deepEqual(await problemsOf(changed(node, params)), expected);

describe('check: params', () => {
  it('puts defaults in, also inside objects and inline nodes, and leaves the document as it is', async () => {
    const document = changed('loss', { queue: { length: 3 } });
    const before = JSON.stringify(document);
    const graph = await graphOf(document);
    assert.deepEqual(graph.byName.get('loss')!.params, {
      temperature: 0.1,
      assignment: 'soft',
      queue: { length: 3, start: 15 },
    });
    assert.deepEqual(graph.byName.get('sgd')!.params, {
      lr: { test_curve: 'cosine', start: 0.6, end: 0 },
      momentum: 0.9,
    });
    assert.deepEqual(graph.byName.get('crops')!.params.scale, [0.1, 1]);
    assert.equal(JSON.stringify(document), before);
  });

  it('reads inline nodes by short name, alias or whole id, nested, and numbers in their place', async () => {
    const lr = {
      test_curve: 'chained',
      parts: [0.3, { test_curve: 'cos', start: 1 }, { test_curve: 'test_curve/cosine', start: 2, end: 1 }],
    };
    const { params } = (await graphOf(changed('sgd', { lr }))).byName.get('sgd')!;
    assert.deepEqual(params.lr, {
      test_curve: 'chained',
      parts: [0.3, { test_curve: 'cosine', start: 1, end: 0 }, { test_curve: 'cosine', start: 2, end: 1 }],
    });
    assert.equal((await graphOf(changed('sgd', { lr: 0.5 }))).byName.get('sgd')!.params.lr, 0.5);
    assert.equal((await graphOf(changed('sgd', { lr: undefined }))).byName.get('sgd')!.params.lr, 0.1);
  });

  it('finds node types by alias', async () => {
    const graph = await graphOf(changed('images', { type: 'disk_folder' }));
    assert.equal(graph.byName.get('images')!.declaration.type, 'test_dataset/folder');
  });

  it('a preset is a name with other defaults, which the document may change', async () => {
    const loss = async (params: Record<string, unknown>) => {
      const { declaration, params: read } = (await graphOf(changed('loss', params))).byName.get('loss')!;
      assert.equal(declaration.type, 'test_loss/swav');
      return read.temperature;
    };
    assert.equal(await loss({ type: 'sharp_swav_loss' }), 0.05);
    assert.equal(await loss({ type: 'sharp_swav_loss', temperature: 0.2 }), 0.2);
    const lr = (said: object) => changed('sgd', { lr: { test_curve: 'half_cos', start: 1, ...said } });
    const read = async (said: object) => (await graphOf(lr(said))).byName.get('sgd')!.params.lr;
    assert.deepEqual(await read({}), { test_curve: 'cosine', start: 1, end: 0.5 });
    assert.deepEqual(await read({ end: 0.25 }), { test_curve: 'cosine', start: 1, end: 0.25 });
  });

  it('has one message for one misspelt key, also where the key that was meant is required', async () => {
    const temprature = 'loss: test_loss/swav has no param "temprature". Did you mean "temperature"?';
    await refused('loss', { temprature: 0.2 }, temprature);
    const dim = 'head: test_head/swav has no param "dim". Did you mean "dims"?';
    await refused('head', { dims: undefined, dim: [2048, 128] }, dim);
    const queue = 'loss.queue: test_loss/swav\'s queue has no key "lenght". Did you mean "length"?';
    await refused('loss', { queue: { lenght: 1 } }, queue);
    const far = 'trunk: test_trunk/resnet has no param "colour". There are: depth, frozen.';
    await refused('trunk', { colour: 1 }, far);
  });

  it('says what is missing, and what it is', async () => {
    const message =
      'head: test_head/swav needs "dims": widths. Add "dims": a list (each a whole number of at least 1).';
    await refused('head', { dims: undefined }, message);
  });

  it('says what a value is and what is wanted', async () => {
    await refused('loss', { temperature: '0.1' }, 'loss.temperature: is the text "0.1", and must be a number above 0.');
    await refused('loss', { temperature: 0 }, 'loss.temperature: is 0, and must be a number above 0.');
    await refused('sgd', { momentum: 1 }, 'sgd.momentum: is 1, and must be a number of at least 0 and below 1.');
    await refused('trunk', { depth: 34 }, 'trunk.depth: is 34, and must be 18 or 50.');
    await refused('trunk', { frozen: null }, 'trunk.frozen: is null, and must be true or false.');
    await refused('head', { dims: [2048] }, 'head.dims: has 1 item, and needs at least 2.');
    await refused(
      'head',
      { dims: [2048, 'x', 1.5] },
      'head.dims.1: is the text "x", and must be a whole number of at least 1.',
      'head.dims.2: is 1.5, and must be a whole number of at least 1.',
    );
    const soft = 'loss.assignment: is the text "sofft", and must be "soft" or "hard". Did you mean "soft"?';
    await refused('loss', { assignment: 'sofft' }, soft);
    await refused('crops', { scale: [0.1, 1, 2] }, 'crops.scale: has 3 items, and may have at most 2.');
    const pair = 'crops.scale: is 0.5, and must be [a number of at least 0, a number of at most 1].';
    await refused('crops', { scale: 0.5 }, pair);
    await refused('images', { path: '' }, 'images.path: is empty.');
  });

  it('says what is wrong in inline nodes', async () => {
    const lr = (value: unknown, message: string) => refused('sgd', { lr: value }, message);
    await lr({ test_curve: 'cosin', start: 1 }, 'sgd.lr.test_curve: "cosin" is no test_curve. Did you mean "cosine"?');
    await lr({ schedule: 'cosine' }, 'sgd.lr: has no "test_curve". Name one of: chained, cosine.');
    await lr('cosine', 'sgd.lr: is the text "cosine", and must be a number or an object { "test_curve": … }.');
    await lr(
      { test_curve: 'cosine', strat: 1 },
      'sgd.lr: test_curve/cosine has no param "strat". Did you mean "start"?',
    );
    const chained = { test_curve: 'chained', parts: [0.1, { test_curve: 'cos', start: 'x' }] };
    await lr(chained, 'sgd.lr.parts.1.start: is the text "x", and must be a number.');
  });

  it('knows node types, and their nearest names', async () => {
    const unknown = 'loss: "test_loss/swaw" is not a node type. Did you mean "test_loss/swav"?';
    await refused('loss', { type: 'test_loss/swaw' }, unknown);
    const kind = 'loss: "test_lss/swav" is not a node type. Did you mean "test_loss/swav"?';
    await refused('loss', { type: 'test_lss/swav' }, kind);
  });

  it('tells nodes from hooks, and checks hooks', async () => {
    const document = swavDocument();
    document.nodes.extra = { type: 'test_hook/log' };
    document.nodes.curve = { type: 'test_curve/cosine' };
    document.hooks = [
      { type: 'test_loss/swav' },
      { type: 'test_hook/log', prefx: 'a' },
      { type: 'test_hook/lag' },
      { type: 'test_hook/log', prefix: 'head.embedding' },
    ];
    assert.deepEqual(await problemsOf(document), [
      'extra: test_hook/log is a hook, not a node of the graph. Move it to the list "hooks".',
      'curve: test_curve/cosine is a schedule, not a node of the graph. Write it inline where a param takes a schedule.',
      'hooks.0: test_loss/swav is a node of the graph, not a hook. Move it to "nodes".',
      'hooks.1: test_hook/log has no param "prefx". Did you mean "prefix"?',
      'hooks.2: "test_hook/lag" is not a node type. Did you mean "test_hook/log"?',
      'hooks.3.prefix: head (test_head/swav) has no output "embedding". Did you mean "embeddings"?',
    ]);
  });

  it('checks the settings of the run', async () => {
    const document = swavDocument();
    document.run = { epoch: 3, precision: 'float64', evaluate: ['stat', 0], workers: -2, seed: 1.5, phases: ['train'] };
    assert.deepEqual(await problemsOf(document), [
      'run: run has no key "epoch". Did you mean "epochs"?',
      'run.evaluate.0: is the text "stat", and must be "start" or "end" or a whole number of at least 1.',
      'run.evaluate.1: is 0, and must be a whole number of at least 1.',
      'run.seed: is 1.5, and must be a whole number of at least 0.',
      'run.precision: is the text "float64", and must be "float32", "bfloat16" or "float16". Did you mean "float32"?',
      'run.workers: is -2, and must be a whole number of at least -1.',
    ]);
    document.run = { phases: ['trian'] };
    assert.deepEqual(await problemsOf(document), [
      'run.phases.0: no batch source belongs to a phase "trian". Did you mean "train"?',
    ]);
  });
});
