import assert from 'node:assert/strict';
import { formatShape } from '../../../graph/dim.ts';
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

describe('check: shapes', () => {
  it('follows crops of two sizes through a model to the loss', async () => {
    const graph = await graphOf(swavDocument());
    const shown = (ref: string) => {
      const [node, port] = ref.split('.') as [string, string];
      return graph.byName.get(node)!.outputs[port]!['*']!.shapes!.map(formatShape);
    };
    assert.deepEqual(shown('batch.images'), ['2·16×64×64×3', '4·16×32×32×3']);
    assert.deepEqual(shown('batch.label'), ['6·16']);
    assert.deepEqual(shown('trunk.res5'), ['2·16×2×2×2048', '4·16×1×1×2048']);
    assert.deepEqual(shown('trunk.res5avg'), ['6·16×2048']);
    assert.deepEqual(shown('head.scores'), ['6·16×30', '6·16×50']);
    assert.deepEqual(shown('head.prototypes'), ['128×30', '128×50']);
    assert.deepEqual(shown('loss.loss'), ['scalar']);
    assert.deepEqual(graph.byName.get('loss')!.symbols['*'], { V: 6, N: 16, D: 128 });
    assert.equal(graph.byName.get('trunk')!.model!.parameterCount, 23508032);
    assert.equal(graph.byName.get('head')!.outputs.scores!['*']!.list, true);
    assert.deepEqual(graph.byName.get('tensor')!.outputs.samples!['*']!.sample, {
      views: [...Array(2).fill([[64], [64], [3]]), ...Array(4).fill([[32], [32], [3]])],
      dtype: 'float32',
      labelled: true,
      length: 1000,
    });
    assert.equal(graph.byName.get('loss')!.inputValues['*']!.scores![0]!.shapes!.length, 2);
  });

  it('keeps phases apart where they differ', async () => {
    const graph = await graphOf(evaluatedDocument());
    const trunk = graph.byName.get('trunk')!;
    const shapes = Object.entries(trunk.outputs.res5avg!).map(([phase, { shapes }]) => [
      phase,
      formatShape(shapes![0]!),
    ]);
    assert.deepEqual(shapes, [
      ['train', '32×512'],
      ['test', '8×512'],
      ['bank', '8×512'],
    ]);
    assert.deepEqual(trunk.symbols.test, { N: 8, H: 64, W: 64 });
    assert.deepEqual(Object.keys(graph.byName.get('sgd')!.inputValues), ['*']);
    assert.equal(formatShape(graph.byName.get('bank')!.outputs.bank!['*']!.shapes![0]!), 'bank.M×512');
    assert.equal(graph.byName.get('bank')!.outputs.bank!['*']!.sample!.labelled, true);
  });

  it('names the layer, both ends and both shapes when a head does not fit', async () => {
    await refused(
      swav((nodes) => {
        nodes.head!.dims = [512, 128];
      }),
      'head.features: linear "linear0" takes 512 features but is given 2048 (trunk.res5avg gives 6·16×2048).',
    );
    await refused(
      swav((nodes) => {
        nodes.head!.inputs = { features: 'trunk.res5' };
      }),
      'head.features: trunk.res5 gives 2 values of different sizes (2·16×2×2×2048, 4·16×1×1×2048), and this input takes one.',
    );
  });

  it('names the symbol that does not unify, and who bound it', async () => {
    await refused(
      swav((nodes) => {
        nodes.crops!.counts = [1];
        nodes.crops!.sizes = [64];
        nodes.add = { type: 'test_model/add', inputs: { a: 'head.embeddings', b: 'trunk.res5avg' } };
      }),
      'add.b: trunk.res5avg gives 16×2048, and N×D is wanted: D is 128 (a is 16×128 from head.embeddings), not 2048.',
    );
    await refused(
      swav((nodes) => {
        nodes.crops!.counts = [1];
        nodes.crops!.sizes = [64];
        nodes.add = { type: 'test_model/add', inputs: { a: 'trunk.res5' } };
      }),
      'add.a: trunk.res5 gives 16×2×2×2048, and N×D is wanted: 4 dimensions are not 2.',
    );
    await refused(
      swav((nodes) => {
        nodes.other = { type: 'test_collator/by_size', from: 'tensor', batch_size: 8 };
        nodes.otherTrunk = { type: 'test_trunk/resnet', inputs: { images: 'other.images' }, depth: 50 };
        (nodes.loss!.inputs as any).embeddings = 'otherTrunk.res5avg';
      }),
      'loss.scores: head.scores gives 6·16×30, and V*N×K is wanted: N is 8 (embeddings is 6·8×2048 from otherTrunk.res5avg), not 16.',
      'loss.scores: head.scores gives 6·16×50, and V*N×K is wanted: N is 8 (embeddings is 6·8×2048 from otherTrunk.res5avg), not 16.',
    );
  });

  it('passes on what node types object to', async () => {
    await refused(
      swav((nodes) => {
        nodes.crops!.sizes = [64];
      }),
      'crops.sizes: 1 sizes for 2 counts. Give one for each.',
    );
    await refused(
      swav((nodes) => {
        nodes.broken = { type: 'test_model/faulty', from: 'trunk.res5avg' };
      }),
      'broken: test_model/faulty failed while its outputs were worked out: cannot read x.',
    );
  });

  it('refuses nodes that need labels over datasets without', async () => {
    await refused(
      evaluated((nodes) => {
        nodes.images!.labelled = false;
      }),
      'loss.label: needs labels, and the samples of images (test_dataset/folder) have none. Give the dataset labels (a folder per class, or a file of labels), or take a node that needs none.',
    );
    // the label of a bank is optional
    const graph = await graphOf(
      evaluated((nodes) => {
        nodes.test_images!.labelled = false;
        delete nodes.accuracy;
        nodes.loss!.phase = 'train';
      }),
    );
    assert.equal(graph.byName.get('bank')!.outputs.bank!['*']!.sample!.labelled, false);
  });

  it('looks at the machine last', async () => {
    await refused(
      swav((nodes) => {
        nodes.images!.path = '/missing';
      }),
      'images.path: no such folder. Create it.',
    );
    await refused(
      swav((nodes) => {
        nodes.images!.path = '/missing';
        nodes.crops!.sizes = [64];
      }),
      'crops.sizes: 1 sizes for 2 counts. Give one for each.',
    );
  });
});
