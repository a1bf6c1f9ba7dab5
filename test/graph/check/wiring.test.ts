import assert from 'node:assert/strict';
import { type Doc, evaluatedDocument, graphOf, problemsOf, swavDocument } from '../fixtures/documents.ts';

type Change = (nodes: Doc['nodes']) => void;

const swav = (change: Change): Doc => {
  const document = swavDocument();
  change(document.nodes);
  return document;
};
const evaluated = (change: Change): Doc => {
  const document = evaluatedDocument();
  change(document.nodes);
  return document;
};
const refused = async (document: Doc, ...expected: string[]) => assert.deepEqual(await problemsOf(document), expected);
const wire = (node: string, port: string, to: unknown): Change => {
  return (nodes) => {
    (nodes[node]!.inputs as Record<string, unknown>)[port] = to;
  };
};

describe('check: references', () => {
  it('names the nearest node, output and input', async () => {
    await refused(
      swav(wire('loss', 'scores', 'haed.scores')),
      'loss.scores: there is no node "haed". Did you mean "head"?',
    );
    await refused(
      swav(wire('loss', 'scores', 'head.score')),
      'loss.scores: head (test_head/swav) has no output "score". Did you mean "scores"?',
    );
    await refused(
      swav(wire('loss', 'scores', 'head.x')),
      'loss.scores: head (test_head/swav) has no output "x". There are: embeddings, scores, prototypes.',
    );
    await refused(
      swav(wire('loss', 'score', 'head.scores')),
      'loss: test_loss/swav has no input "score". Did you mean "scores"?',
    );
  });

  it('wants every input connected, and says to what it could be', async () => {
    await refused(
      swav((nodes) => delete nodes.trunk!.inputs),
      'trunk.images: this input is not connected. Connect it: "inputs": { "images": "batch.images" }.',
    );
  });

  it('compares kind, rate, dtype and list at both ends', async () => {
    await refused(
      swav(wire('trunk', 'images', 'batch.label')),
      'trunk.images: batch.label gives a label, and an image is wanted. Outputs of batch that fit: images.',
    );
    await refused(
      swav(wire('trunk', 'images', 'tensor.samples')),
      'trunk.images: tensor.samples gives a sample, and an image is wanted. Put a collator in between.',
    );
    await refused(
      swav(wire('head', 'features', 'batch.label')),
      'head.features: batch.label gives int32 values, and float32 is wanted.',
    );
    await refused(
      swav((nodes) => {
        nodes.km = { type: 'test_cluster/kmeans', from: 'trunk.res5avg' };
      }),
      'km.features: trunk.res5avg gives a value per batch, and one once per run is wanted. Put a features/bank in between.',
    );
    await refused(
      swav((nodes) => {
        nodes.second = { ...nodes.head!, inputs: { features: 'trunk.res5avg' } };
        nodes.head!.inputs = { features: 'second.scores' };
      }),
      'head.features: second.scores gives a list of tensor values, and a single one is wanted. Outputs of second that fit: embeddings.',
    );
  });

  it('takes several references where the port takes many, in order', async () => {
    await refused(
      swav(wire('head', 'features', ['trunk.res5avg', 'trunk.res5avg'])),
      'head.features: takes one value and is given 2: trunk.res5avg, trunk.res5avg. Choose one, or connect one by phase.',
    );
    const graph = await graphOf(
      swav((nodes) => {
        nodes.all = { type: 'test_model/stack', inputs: { in0: ['head.embeddings', 'head.embeddings'] } };
      }),
    );
    assert.equal(graph.byName.get('all')!.inputs[0]!.sources['*']!.length, 2);
    assert.equal(graph.byName.get('all')!.inputValues['*']!.in0!.length, 2);
  });

  it('connects "from" to the first input, to the first output of its kind', async () => {
    const graph = await graphOf(evaluatedDocument());
    assert.deepEqual(graph.byName.get('sgd')!.inputs[0]!.sources, { '*': [{ node: 'loss', port: 'loss' }] });
    await refused(
      swav((nodes) => {
        nodes.head!.from = 'trunk';
      }),
      'head.features: is connected twice: by "from" and by "inputs". Remove one of the two.',
    );
    await refused(
      swav((nodes) => {
        nodes.images!.from = 'trunk';
      }),
      'images: test_dataset/folder takes no input. Remove "from".',
    );
  });

  it('blames a type whose ports cannot be worked out', async () => {
    await refused(
      swav((nodes) => {
        nodes.odd = { type: 'test_model/portless', inputs: { a: 'trunk.res5avg' } };
        nodes.more = { type: 'test_model/add', inputs: { a: 'odd.out' } };
      }),
      'odd: test_model/portless failed while its ports were worked out: cannot read y.',
    );
  });

  it('stays quick when everything is wrong', async () => {
    const document: Doc = { nodes: {} };
    for (let i = 0; i < 10_000; i++)
      document.nodes[`node${i}`] = { type: 'test_model/add', inputs: { a: `nods${i + 1}.sum` } };
    const problems = await problemsOf(document);
    assert.equal(problems.length, 10_000);
    assert.equal(problems[0], 'node0.a: there is no node "nods1". Did you mean "node1"?');
    assert.equal(problems[9_999], 'node9999.a: there is no node "nods10000".');
  });

  it('takes ports that depend on params', async () => {
    const graph = await graphOf(
      swav((nodes) => {
        nodes.all = {
          type: 'test_model/stack',
          ports: 3,
          inputs: { in2: 'head.embeddings', in0: 'head.embeddings', in1: 'head.embeddings' },
        };
      }),
    );
    assert.deepEqual(
      graph.byName.get('all')!.inputs.map(({ port }) => port),
      ['in0', 'in1', 'in2'],
    );
  });
});

describe('check: cycles', () => {
  const add = (a: string) => ({ type: 'test_model/add', inputs: { a } });

  it('prints each cycle node by node', async () => {
    await refused(
      swav((nodes) => Object.assign(nodes, { a: add('b.sum'), b: add('c.sum'), c: add('a.sum'), d: add('d.sum') })),
      'a: these nodes wait for each other: a.sum → c.a, c.sum → b.a, b.sum → a.a. Take one of these connections out.',
      'd: these nodes wait for each other: d.sum → d.a. Take one of these connections out.',
    );
  });

  it('finds a cycle of 10,000 nodes', async () => {
    const document: Doc = { nodes: {} };
    for (let i = 0; i < 10_000; i++) document.nodes[`n${i}`] = add(`n${(i + 1) % 10_000}.sum`);
    const [message, ...others] = await problemsOf(document);
    assert.equal(others.length, 0);
    assert.match(
      message!,
      /^n0: these nodes wait for each other: n0\.sum → n9999\.a, .* … 9960 more …, n1\.sum → n0\.a\./,
    );
  });
});

describe('check: phases', () => {
  it('lets a node run where all its inputs come and something needs it', async () => {
    const graph = await graphOf(evaluatedDocument());
    const phases = Object.fromEntries(graph.nodes.map(({ name, phases }) => [name, phases.join(' ')]));
    assert.deepEqual(phases, {
      images: '',
      views: '',
      batch: 'train',
      test_images: '',
      test_views: '',
      test_batch: 'test',
      bank_batch: 'bank',
      trunk: 'train test bank',
      head: 'train test',
      loss: 'train test',
      accuracy: 'test',
      sgd: 'train',
      bank: 'bank',
      knn: '',
    });
    assert.deepEqual(graph.run.phases, ['train', 'test']);
    assert.deepEqual(
      graph.nodes.map(({ rate }) => rate).join(' '),
      'sample sample batch sample sample batch batch batch batch batch batch batch batch once',
    );
  });

  it('runs a loss for itself where nothing is trained and no features are gathered', async () => {
    const graph = await graphOf(evaluated((nodes) => delete nodes.accuracy));
    assert.deepEqual(graph.byName.get('loss')!.phases, ['train', 'test']);
    assert.deepEqual(graph.run.phases, ['train', 'test']);
    const alone = await graphOf(
      evaluated((nodes) => {
        delete nodes.accuracy;
        delete nodes.sgd;
        delete nodes.knn;
        delete nodes.bank;
      }),
    );
    assert.deepEqual(alone.run.phases, ['train', 'test']);
    assert.deepEqual(alone.byName.get('bank_batch')!.phases, []);
    assert.equal(alone.notes.length, 1);
    assert.equal(alone.notes[0]!.where, 'bank_batch');
  });

  it('restricts a node to the phase it says', async () => {
    const graph = await graphOf(
      evaluated((nodes) => {
        delete nodes.accuracy;
        nodes.loss!.phase = 'train';
      }),
    );
    assert.deepEqual(graph.byName.get('head')!.phases, ['train']);
    await refused(
      evaluated((nodes) => {
        nodes.sgd!.phase = 'tran';
      }),
      'sgd: runs in phase tran, but its inputs come in the phases train and test. Did you mean "train"?',
    );
    await refused(
      swav((nodes) => {
        nodes.batch!.phase = 'pretrain';
      }),
      'sgd: runs in phase train (as optimizers do), but its inputs come in phase pretrain. Write "phase": "pretrain".',
    );
    await refused(
      swav((nodes) => {
        nodes.images!.phase = 'train';
      }),
      'images: test_dataset/folder belongs to no phase, and says "phase": "train". Phases belong to collators and to what runs per batch; remove "phase".',
    );
  });

  it('says on which side which phases are, once, where inputs never come together', async () => {
    await refused(
      evaluated((nodes) => {
        (nodes.loss!.inputs as any).label = 'bank_batch.label';
        (nodes.loss!.inputs as any).logits = 'head.embeddings';
        nodes.head!.phase = 'test';
        delete nodes.accuracy;
      }),
      'loss: runs in no phase: logits (from head.embeddings) comes in phase test; label (from bank_batch.label) comes in phase bank. Connect inputs that come in the same phase, or one by phase: { "train": …, "test": … }.',
    );
    await refused(
      evaluated((nodes) => {
        (nodes.trunk!.inputs as any).images = {
          train: 'batch.images',
          tset: 'test_batch.images',
          bank: 'bank_batch.images',
        };
      }),
      'trunk.images: is connected to test_batch.images in phase tset, but test_batch runs in phase test. Rename the phase here or write "phase": "tset" at test_batch.',
    );
  });

  it('refuses a once-value that its own phase would have to wait for', async () => {
    const nodes: Change = (nodes) => {
      nodes.bank = { type: 'test_features/bank', from: 'trunk.res5avg' };
      nodes.km = { type: 'test_cluster/kmeans', from: 'bank.features' };
      nodes.pull = { type: 'test_loss/pull', inputs: { features: 'trunk.res5avg', centroids: 'km.centroids' } };
      nodes.sgd!.inputs = { loss: 'pull.loss' };
    };
    await refused(
      swav(nodes),
      'bank: a value that is there once per run would be needed before it is there: pull in phase train needs bank, which phase train fills. Fill the bank in a phase of its own: another collator with "phase": "…".',
    );
    await refused(
      evaluated((nodes) => {
        delete nodes.accuracy;
        nodes.head!.dims = [512, 512];
        nodes.clusters = { type: 'test_cluster/kmeans', from: 'bank.features' };
        nodes.pull = {
          type: 'test_loss/pull',
          inputs: { features: 'head.embeddings', centroids: 'clusters.centroids' },
          phase: 'train',
        };
        nodes.sgd!.from = 'pull';
        nodes.other = { type: 'test_features/bank', from: 'head.embeddings', phase: 'train' };
        nodes.others = { type: 'test_cluster/kmeans', from: 'other.features' };
        nodes.again = {
          type: 'test_loss/pull',
          inputs: { features: 'trunk.res5avg', centroids: 'others.centroids' },
          phase: 'bank',
        };
        nodes.second = { type: 'test_optimizer/sgd', from: 'again', phase: 'bank' };
      }),
      'bank: a value that is there once per run would be needed before it is there: pull in phase train needs bank, which phase bank fills; again in phase bank needs other, which phase train fills. Fill the bank in a phase of its own: another collator with "phase": "…".',
    );
  });

  it('takes labels made by one phase into the dataset of another', async () => {
    const graph = await graphOf(
      evaluated((nodes) => {
        nodes.clusters = { type: 'test_cluster/kmeans', from: 'bank.features' };
        nodes.relabelled = {
          type: 'test_dataset/relabel',
          inputs: { samples: 'images.samples', labels: 'clusters.labels' },
        };
        nodes.views!.from = 'relabelled';
        nodes.trunk!.inputs = { images: { bank: 'bank_batch.images' } };
        nodes.student = {
          type: 'test_trunk/resnet',
          inputs: { images: { train: 'batch.images', test: 'test_batch.images' } },
        };
        nodes.head!.from = 'student.res5avg';
      }),
    );
    const names = graph.nodes.map(({ name }) => name);
    assert.ok(names.indexOf('clusters') < names.indexOf('relabelled'));
    assert.ok(names.indexOf('relabelled') < names.indexOf('batch'));
    assert.equal(graph.byName.get('clusters')!.rate, 'once');
  });

  it('notes models that nobody reads, unless a hook does', async () => {
    const idle: Change = (nodes) => {
      nodes.extra = { ...nodes.head! };
    };
    const graph = await graphOf(swav(idle));
    assert.deepEqual(
      graph.notes.map(({ where, message }) => `${where}: ${message}`),
      ['extra: nothing reads an output of this model, so it does not run'],
    );
    assert.deepEqual(graph.byName.get('extra')!.phases, []);
    const watched = swav(idle);
    watched.hooks = [{ type: 'test_hook/log', prefix: 'extra.embeddings' }];
    const seen = await graphOf(watched);
    assert.deepEqual(seen.notes, []);
    assert.deepEqual(seen.byName.get('extra')!.phases, ['train']);
  });
});
