import multiMargin from '../../../nodes/losses/multi_margin.ts';
import { openBackend } from '../../../runtime/tensor/backend.ts';
import type { TensorBackend } from '../../../runtime/tensor/types.ts';
import { near } from '../../tensor/support.ts';
import { asRecorded, lossOf, refuses } from './recorded.ts';

asRecorded('MultiMarginLoss', multiMargin);

describe('loss/multi_margin', () => {
  let backend: TensorBackend;
  before(async () => {
    backend = await openBackend('wasm');
  });

  it('leaves out rows without a label', async () => {
    const { tf } = backend;
    const outputs = tf.tensor2d([0, 0.5, 9, 9], [2, 2]);
    const { loss, gradient } = await lossOf(backend, multiMargin, {}, outputs, tf.tensor1d([0, -1], 'int32'));
    near([loss], [0.75], 1e-6, 'loss');
    near(gradient, [-0.5, 0.5, 0, 0], 1e-6, 'gradient');
  });

  it('says which labels, powers and weights do not fit', async () => {
    const target = () => backend.tf.tensor1d([0, 3], 'int32');
    await refuses(backend, multiMargin, { target: target() }, /the label 3 does not fit 3 outputs/);
    await refuses(backend, multiMargin, { target: target(), params: { weight: [1] } }, /weight has 1 numbers for 3/);
    await refuses(backend, multiMargin, { target: target(), params: { p: 3 } }, /data\/p must be equal to constant/);
  });
});
