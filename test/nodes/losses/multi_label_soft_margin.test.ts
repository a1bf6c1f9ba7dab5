import multiLabelSoftMargin from '../../../nodes/losses/multi_label_soft_margin.ts';
import { openBackend } from '../../../runtime/tensor/backend.ts';
import type { TensorBackend } from '../../../runtime/tensor/types.ts';
import { near } from '../../tensor/support.ts';
import { asRecorded, lossOf, refuses } from './recorded.ts';

asRecorded('MultiLabelSoftMarginLoss', multiLabelSoftMargin);

describe('loss/multi_label_soft_margin', () => {
  let backend: TensorBackend;
  before(async () => {
    backend = await openBackend('wasm');
  });

  it('leaves out classes that are not known', async () => {
    const { tf } = backend;
    const target = tf.tensor2d([1, -1, 0, -1], [2, 2], 'int32');
    const { loss, gradient } = await lossOf(backend, multiLabelSoftMargin, {}, tf.zeros([2, 2]), target);
    near([loss], [Math.log(2)], 1e-6, 'loss');
    near(gradient, [-0.25, 0, 0.25, 0], 1e-6, 'gradient');
  });

  it('says which targets and weights do not fit', async () => {
    const { tf } = backend;
    await refuses(backend, multiLabelSoftMargin, { target: tf.ones([3, 3]) }, /\[2,3\], and the target \[3,3\]/);
    const params = { weight: [1, 2] };
    await refuses(backend, multiLabelSoftMargin, { params, target: tf.ones([2, 3]) }, /weight has 2 numbers for 3/);
  });
});
