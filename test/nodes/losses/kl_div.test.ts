import assert from 'node:assert/strict';
import klDiv from '../../../nodes/losses/kl_div.ts';
import { openBackend } from '../../../runtime/tensor/backend.ts';
import type { TensorBackend } from '../../../runtime/tensor/types.ts';
import { near } from '../../tensor/support.ts';
import { asRecorded, lossOf, refuses } from './recorded.ts';

asRecorded('KLDivLoss', klDiv);

describe('loss/kl_div', () => {
  let backend: TensorBackend;
  before(async () => {
    backend = await openBackend('wasm');
  });

  it('is 0 for a class that neither has', async () => {
    const { tf } = backend;
    const outputs = tf.tensor2d([Math.log(0.5), Math.log(0.5), Number.NEGATIVE_INFINITY], [1, 3]);
    const { loss, gradient } = await lossOf(backend, klDiv, { reduction: 'sum' }, outputs, tf.tensor2d([[1, 0, 0]]));
    near([loss], [Math.log(2)], 1e-6, 'loss');
    assert.deepEqual([...gradient].map(Math.abs), [1, 0, 0]);
  });

  it('says which targets do not fit', () =>
    refuses(backend, klDiv, { target: backend.tf.ones([2, 4]) }, /\[2,3\], and the target \[2,4\]/));
});
