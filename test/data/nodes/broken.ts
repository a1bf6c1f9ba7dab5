/** A dataset for tests: its module cannot be used in a thread, or it can, and `open` fails. */
import { isMainThread } from 'node:worker_threads';
import { defineNode, T } from '../../../runtime/node.ts';

export default defineNode({
  type: 'dataset/broken',
  role: 'dataset',
  description: 'Cannot be opened in a thread.',
  params: T.Object({ dies: T.Boolean({ default: false }) }),
  facts: () => ({ views: [[[4], [4], [3]]], dtype: 'uint8', labelled: false }),
  scan: () => ({ length: 10, data: null }),
  open: ({ params: { dies } }) => {
    if (dies && !isMainThread) process.exit(3);
    throw new Error('the disk is gone');
  },
});
