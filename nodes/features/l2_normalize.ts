import { batch, defineNode, T } from '../../runtime/node.ts';

/** Vectors scaled to length 1, as the keys of MoCo are. */
export default defineNode({
  type: 'features/l2_normalize',
  description: 'Scales feature vectors to length 1.',
  role: 'compute',
  params: T.Object({}),
  inputs: { features: batch.tensor('float32', ['N', 'D']) },
  outputs: { features: batch.tensor('float32', ['N', 'D'], { description: 'rows of length 1' }) },
  create:
    ({ ops }) =>
    ({ features }) => ({ features: ops.l2Normalize(features) }),
});
