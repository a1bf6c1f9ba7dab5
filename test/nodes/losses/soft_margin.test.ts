import softMargin from '../../../nodes/losses/soft_margin.ts';
import { openBackend } from '../../../runtime/tensor/backend.ts';
import type { TensorBackend } from '../../../runtime/tensor/types.ts';
import { asRecorded, refuses } from './recorded.ts';

asRecorded('SoftMarginLoss', softMargin);

describe('loss/soft_margin', () => {
  let backend: TensorBackend;
  before(async () => {
    backend = await openBackend('wasm');
  });

  it('says which targets do not fit', async () => {
    const { tf } = backend;
    const said = /targets are 1 and -1, not 0\. For 1 and 0 take loss\/bce_with_logits/;
    await refuses(backend, softMargin, { target: tf.tensor2d([1, -1, 0, 1, 1, 1], [2, 3], 'int32') }, said);
    await refuses(backend, softMargin, { target: tf.ones([2, 2]) }, /\[2,3\], and the target \[2,2\]/);
  });
});
