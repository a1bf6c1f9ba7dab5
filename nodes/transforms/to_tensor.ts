import { defineNode, T } from '../../runtime/node.ts';
import { checkIndices, indices, ports } from './parts.ts';

/**
 * Bytes to float32 in [0, 1]. The conversion itself happens once, together with a normalize that follows, when the view
 * is written to its batch. The order of values is NHWC, where PyTorch has NCHW.
 */
export default defineNode({
  type: 'transform/to_tensor',
  role: 'transform',
  description: 'Bytes to float32 in [0, 1].',
  aliases: ['ToTensor', 'ImgToTensor'],
  params: T.Object({ ...indices }),
  ...ports,
  facts: (facts, params, problem) => {
    checkIndices(facts, params.indices, problem);
    if (facts.dtype === 'float32') {
      problem({ message: 'the values are floats already', cure: 'Remove the second to_tensor' });
    }
    return { ...facts, dtype: 'float32' };
  },
  create: () => ({ view: (view) => ({ ...view, tensor: { raw: false } }) }),
});
