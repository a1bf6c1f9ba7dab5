import { defineNode, T } from '../../runtime/node.ts';
import { checkBytes, checkIndices, indices, ports } from './parts.ts';

/** Bytes to float32 without division: values stay in [0, 255]. */
export default defineNode({
  type: 'transform/to_raw_tensor',
  role: 'transform',
  description: 'Bytes to float32 in [0, 255].',
  aliases: ['ImgPilToRawTensor'],
  params: T.Object({ ...indices }),
  ...ports,
  facts: (facts, params, problem) => {
    checkBytes(facts, problem);
    checkIndices(facts, params.indices, problem);
    return { ...facts, dtype: 'float32' };
  },
  create: () => ({ view: (view) => ({ ...view, tensor: { raw: true } }) }),
});
