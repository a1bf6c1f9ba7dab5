import multiLabelMargin from '../../../nodes/losses/multi_label_margin.ts';
import { openBackend } from '../../../runtime/tensor/backend.ts';
import type { TensorBackend } from '../../../runtime/tensor/types.ts';
import { near } from '../../tensor/support.ts';
import { asRecorded, lossOf, refuses } from './recorded.ts';

asRecorded('MultiLabelMarginLoss', multiLabelMargin);

describe('loss/multi_label_margin', () => {
  let backend: TensorBackend;
  before(async () => {
    backend = await openBackend('wasm');
  });

  it("gives what PyTorch's documentation says of its example", async () => {
    const { tf } = backend;
    const outputs = tf.tensor2d([0.1, 0.2, 0.4, 0.8], [1, 4]);
    const target = tf.tensor2d([3, 0, -1, 1], [1, 4], 'int32');
    const { loss } = await lossOf(backend, multiLabelMargin, {}, outputs, target);
    near([loss], [0.85], 1e-6, 'loss');
  });

  it('says which lists do not fit', async () => {
    const { tf } = backend;
    const lists = (...values: number[]) => tf.tensor2d(values, [2, 3], 'int32');
    const wanted = /row 1 lists the class 3, which is not one of 3; -1 ends a list/;
    await refuses(backend, multiLabelMargin, { target: lists(0, 1, -1, 2, 3, -1) }, wanted);
    const negative = /row 0 lists the class -2/;
    await refuses(backend, multiLabelMargin, { target: lists(0, -2, -1, 2, -1, -1) }, negative);
    const other = tf.zeros([2, 4], 'int32');
    await refuses(backend, multiLabelMargin, { target: other }, /\[2,3\], and the target \[2,4\]/);
  });
});
