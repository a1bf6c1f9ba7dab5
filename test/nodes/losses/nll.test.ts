import assert from 'node:assert/strict';
import nll from '../../../nodes/losses/nll.ts';
import { openBackend } from '../../../runtime/tensor/backend.ts';
import type { TensorBackend } from '../../../runtime/tensor/types.ts';
import { near } from '../../tensor/support.ts';
import { asRecorded, lossOf, refuses } from './recorded.ts';

asRecorded('NLLLoss', nll);

describe('loss/nll', () => {
  let backend: TensorBackend;
  before(async () => {
    backend = await openBackend('wasm');
  });

  it('leaves out rows without a label, and classes of probability 0', async () => {
    const { tf } = backend;
    const outputs = tf.tensor2d([-1, -2, Number.NEGATIVE_INFINITY, -3, -4, -5], [2, 3]);
    const { loss, gradient } = await lossOf(backend, nll, {}, outputs, tf.tensor1d([1, -1], 'int32'));
    assert.equal(loss, 2);
    near(gradient, [0, -1, 0, 0, 0, 0], 0, 'gradient');
  });

  it('says which labels and weights do not fit', async () => {
    const labels = (...values: number[]) => backend.tf.tensor1d(values, 'int32');
    await refuses(backend, nll, { target: labels(0, 3) }, /the label 3 does not fit 3 outputs/);
    await refuses(backend, nll, { target: labels(0, -7) }, /the label -7 is no class/);
    await refuses(backend, nll, { target: labels(0, 1, 2) }, /an output has the shape \[2,3\], and the target \[3\]/);
    const params = { weight: [1, 2] };
    await refuses(backend, nll, { params, target: labels(0, 1) }, /weight has 2 numbers for 3 classes/);
    await refuses(backend, nll, { params: { reduction: 'none' }, target: labels(0, 1) }, /reduction/);
  });
});
