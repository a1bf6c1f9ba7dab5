import assert from 'node:assert/strict';
import bce from '../../../nodes/losses/bce_logits_multiple_output_single_target.ts';
import crossEntropy from '../../../nodes/losses/cross_entropy_multiple_output_single_target.ts';
import moco from '../../../nodes/losses/moco.ts';
import nce from '../../../nodes/losses/nce_with_memory.ts';
import negativeCosine from '../../../nodes/losses/negative_cosine_similarity.ts';
import simclr from '../../../nodes/losses/simclr_info_nce.ts';
import type { NodeType, Values } from '../../../runtime/node.ts';
import { openBackend } from '../../../runtime/tensor/backend.ts';
import type { TensorBackend } from '../../../runtime/tensor/types.ts';
import { type ContextOptions, createInstance, nodeContext } from '../../support/node-context.ts';

const step = { phase: 'train', training: true, iteration: 0, epoch: 0 };

describe('losses say what is wrong with their inputs', () => {
  let backend: TensorBackend;
  before(async () => {
    backend = await openBackend('wasm');
  });

  const open = (definition: unknown, options: ContextOptions = {}) =>
    createInstance(definition as NodeType, nodeContext(backend, definition as NodeType, options));
  const rejects = (run: () => unknown, pattern: RegExp) =>
    backend.scopeAsync(() => assert.rejects(async () => run(), pattern));

  it('labels that no output stands for', () =>
    rejects(() => {
      const outputs = [backend.tf.zeros([2, 3])];
      return open(crossEntropy).run({ outputs, target: backend.tf.tensor1d([0, 3], 'int32') }, step);
    }, /the label 3 does not fit 3 outputs\. Give the last layer 4 or more/));

  it('class weights of another number', () =>
    rejects(() => {
      const outputs = [backend.tf.zeros([2, 3])];
      const instance = open(crossEntropy, { params: { weight: [1, 2] } });
      return instance.run({ outputs, target: backend.tf.tensor1d([0, 1], 'int32') }, step);
    }, /weight has 2 numbers for 3 classes/));

  it('multi-label targets of another shape', () =>
    rejects(() => {
      const outputs = [backend.tf.zeros([2, 3])];
      return open(bce).run({ outputs, target: backend.tf.zeros([2, 4], 'int32') }, step);
    }, /an output has the shape \[2,3\], and the target \[2,4\]/));

  it('one view', () =>
    rejects(() => open(simclr).run({ embeddings: backend.tf.zeros([3, 4]) }, step), /takes two views per image/));

  it('a queue that is no multiple of the batch', () => {
    const options = { params: { queue_size: 10 }, symbols: { D: 4 }, run: { batchSize: 4 } };
    assert.throws(() => open(moco, options), /queue_size 10 is not a multiple of the 4 images of a batch/);
  });

  it('a memory that is never updated', () => {
    const options = {
      params: { memory: { update_mem_on_forward: false } },
      symbols: { D: 4 },
      run: { trainSamples: 5 },
    };
    assert.throws(() => open(nce, options), /never updates its memory/);
  });

  it('an index beyond the memory', () =>
    rejects(() => {
      const instance = open(nce, { params: { num_negatives: 2 }, symbols: { D: 4 }, run: { trainSamples: 5 } });
      return instance.run({ outputs: [backend.tf.ones([1, 4])], index: backend.tf.tensor1d([5], 'int32') }, step);
    }, /the index 5 lies outside the memory of 5/));

  it('SimSiam: no gradient reaches the projections', async () => {
    const { tf } = backend;
    const predictions = tf.variable(tf.tensor2d([1, 2, 3, 4], [2, 2]));
    const projections = tf.variable(tf.tensor2d([2, 1, 1, 3], [2, 2]));
    const tape = backend.openTape();
    const { loss } = (await open(negativeCosine).run({ predictions, projections }, step)) as Values;
    // each prediction meets the other view's projection: cos([1,2],[1,3]) and cos([3,4],[2,1])
    const expected = -(7 / Math.sqrt(50) + 10 / Math.sqrt(125)) / 2;
    const [p, z] = tape.backward(loss, [predictions, projections]);
    assert.ok(Math.abs((await loss.data())[0] - expected) < 1e-6);
    assert.ok(p !== null && z === null);
    tf.dispose([predictions, projections, p, loss]);
  });
});
