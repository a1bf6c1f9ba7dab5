import bceWithLogits from '../../../nodes/losses/bce_with_logits.ts';
import { openBackend } from '../../../runtime/tensor/backend.ts';
import type { TensorBackend } from '../../../runtime/tensor/types.ts';
import { near } from '../../tensor/support.ts';
import { asRecorded, lossOf, refuses } from './recorded.ts';

asRecorded('BCEWithLogitsLoss', bceWithLogits);

describe('loss/bce_with_logits', () => {
  let backend: TensorBackend;
  before(async () => {
    backend = await openBackend('wasm');
  });

  it('leaves out classes that are not known; labels of whole numbers will do', async () => {
    const { tf } = backend;
    const target = tf.tensor2d([1, -1, 0, -1], [2, 2], 'int32');
    const { loss, gradient } = await lossOf(backend, bceWithLogits, {}, tf.zeros([2, 2]), target);
    near([loss], [Math.log(2)], 1e-6, 'loss');
    near(gradient, [-0.25, 0, 0.25, 0], 1e-6, 'gradient');
  });

  it('says which targets and weights do not fit', async () => {
    const { tf } = backend;
    await refuses(backend, bceWithLogits, { target: tf.ones([2]) }, /\[2,3\], and the target \[2\]: it takes a number/);
    for (const name of ['weight', 'pos_weight']) {
      const params = { [name]: [1, 2, 3, 4] };
      const said = new RegExp(`^Error: ${name} has 4 numbers for 3 classes`);
      await refuses(backend, bceWithLogits, { params, target: tf.ones([2, 3]) }, said);
    }
  });
});
