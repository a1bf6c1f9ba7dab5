import { defineNode, T } from '../../runtime/node.ts';
import { checkBytes, checkIndices, indices, ports } from './parts.ts';

/**
 * RGB to CIE L*a*b* as OpenCV's 8-bit conversion, then floats: L·100/255 - 50, a - 128, b - 128. L lies in [-50, 50], as
 * in VISSL's code, whose documentation says [0, 100].
 */
export default defineNode({
  type: 'transform/to_lab',
  role: 'transform',
  description: 'RGB bytes to L*a*b* floats (colorization).',
  aliases: ['ImgPil2LabTensor'],
  params: T.Object({ ...indices }),
  ...ports,
  facts: (facts, params, problem) => {
    checkBytes(facts, problem);
    checkIndices(facts, params.indices, problem);
    return { ...facts, dtype: 'float32' };
  },
  create: ({ pixels }) => ({ view: (view) => pixels.toLab(view) }),
});
