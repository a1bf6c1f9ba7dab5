import assert from 'node:assert/strict';
import bce from '../../../nodes/losses/bce.ts';
import { openBackend } from '../../../runtime/tensor/backend.ts';
import type { TensorBackend } from '../../../runtime/tensor/types.ts';
import { near } from '../../tensor/support.ts';
import { asRecorded, lossOf, open, refuses, step } from './recorded.ts';

asRecorded('BCELoss', bce);

describe('loss/bce', () => {
  let backend: TensorBackend;
  before(async () => {
    backend = await openBackend('wasm');
  });

  it('leaves out classes that are not known; labels of whole numbers will do', async () => {
    const { tf } = backend;
    const outputs = tf.tensor2d([0.25, 0.5, 0.75, 0.5], [2, 2]);
    const { loss, gradient } = await lossOf(backend, bce, {}, outputs, tf.tensor2d([1, -1, 0, -1], [2, 2], 'int32'));
    near([loss], [Math.log(4)], 1e-6, 'loss');
    near(gradient, [-2, 0, 2, 0], 1e-6, 'gradient');
    const none = await lossOf(backend, bce, {}, outputs, tf.fill([2, 2], -1, 'int32'));
    assert.deepEqual([none.loss, ...none.gradient.map(Math.abs)], [0, 0, 0, 0, 0]);
  });

  it('gives a target that is learned its gradient', () =>
    backend.scopeAsync(async () => {
      const { tf } = backend;
      const target = tf.variable(tf.tensor2d([0.5, 1], [1, 2]));
      const tape = backend.openTape();
      const { loss } = await open(backend, bce, { reduction: 'sum' }).run(
        { outputs: tf.fill([1, 2], 0.75), target },
        step,
      );
      const [gradient] = tape.backward(loss, [target]);
      // log(1 - x) - log x
      near(await gradient!.data(), [-Math.log(3), -Math.log(3)], 1e-6, 'gradient');
      target.dispose();
    }));

  it('says what is no probability, and which targets and weights do not fit', async () => {
    const { tf } = backend;
    const outputs = tf.tensor2d([0.5, -0.25, 1.5], [1, 3]);
    const target = tf.ones([1, 3]);
    await assert.rejects(
      lossOf(backend, bce, {}, outputs, target),
      /between 0 and 1, and these reach from -0\.25 to 1\.5\. For logits take loss\/bce_with_logits/,
    );
    await refuses(backend, bce, { target: tf.ones([2, 4]) }, /an output has the shape \[2,3\], and the target \[2,4\]/);
    const params = { weight: [1] };
    await refuses(backend, bce, { params, target: tf.ones([2, 3]) }, /weight has 1 numbers for 3 classes/);
  });
});
