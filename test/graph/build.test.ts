import assert from 'node:assert/strict';
import { Type as T } from '@sinclair/typebox';
import { pipeline } from '../../graph/build.ts';
import { checkDoc, type Doc, graphOf, swavDocument } from './fixtures/documents.ts';

describe('pipeline builder', () => {
  it('gives the document that a file would hold', async () => {
    const p = pipeline('built', { epochs: 3 });
    const images = p.node('images', 'test_dataset/folder', { path: './images' });
    const crops = p.node('crops', 'test_transform/crops', { from: images, counts: [2, 4], sizes: [64, 32] });
    const tensor = p.node('tensor', 'test_transform/to_tensor', { from: crops });
    const batch = p.node('batch', 'test_collator/by_size', { from: tensor, batch_size: 16 });
    const trunk = p.node('trunk', 'test_trunk/resnet', { inputs: { images: batch.port('images') }, depth: 50 });
    const inputs = { features: trunk.port('res5avg') };
    const head = p.node('head', 'test_head/swav', { inputs, dims: [2048, 128], clusters: [30, 50] });
    const scores = { scores: head.port('scores'), embeddings: head.port('embeddings') };
    const loss = p.node('loss', 'test_loss/swav', { inputs: scores });
    p.node('sgd', 'test_optimizer/sgd', {
      inputs: { loss: loss.port('loss') },
      lr: { test_curve: 'cosine', start: 0.6 },
    });
    p.hook('test_hook/log', { prefix: 'x' });
    const document = p.document();
    assert.deepEqual(document.nodes, swavDocument().nodes);
    assert.deepEqual(document.hooks, [{ type: 'test_hook/log', prefix: 'x' }]);
    const graph = await graphOf(document as unknown as Doc);
    assert.equal(graph.run.epochs, 3);
    assert.equal(graph.name, 'built');
  });

  it('writes wires by phase, several references, and lanes', () => {
    const p = pipeline('wires');
    const a = p.node('a', 'x/a');
    const b = p.node('b', 'x/b', { phase: 'test' });
    p.node('c', 'x/c', { from: { train: a, test: [b, b.port('out')] }, stream: 's' });
    p.node('d', 'x/d', { inputs: { in: [a.port('x'), b] } });
    assert.deepEqual(p.document().nodes, {
      a: { type: 'x/a' },
      b: { type: 'x/b', phase: 'test' },
      c: { type: 'x/c', from: { train: 'a', test: ['b', 'b.out'] }, stream: 's' },
      d: { type: 'x/d', inputs: { in: ['a.x', 'b'] } },
    });
    assert.throws(() => p.node('a', 'x/a'), /already has a node "a"/);
  });

  it('types params by the node type', async () => {
    const mine = {
      type: 'x/mine',
      params: T.Object({ temperature: T.Number({ default: 0.1 }), kind: T.Literal('soft') }),
    };
    const p = pipeline('typed');
    p.node('right', mine, { temperature: 0.2, kind: 'soft', from: 'a' });
    // @ts-expect-error: a text is no number
    p.node('wrong', mine, { temperature: 'low' });
    // @ts-expect-error: no such param
    p.hook(mine, { temprature: 1 });
    assert.equal(p.document().nodes.right!.type, 'x/mine');
    const problems = await checkDoc({ nodes: p.document().nodes as Doc['nodes'] });
    assert.ok(Array.isArray(problems) && problems.length > 0);
  });
});
