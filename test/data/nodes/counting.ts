/** A dataset for tests: counts its reads in shared memory, where a rank that does not answer can see them. */
import { defineNode, T } from '../../../runtime/node.ts';

export default defineNode({
  type: 'dataset/counting',
  role: 'dataset',
  description: 'Counts its reads.',
  params: T.Object({ length: T.Integer({ default: 200 }) }),
  facts: () => ({ views: [[[4], [4], [3]]], dtype: 'uint8', labelled: false }),
  scan: ({ params: { length } }) => ({ length, data: new Int32Array(new SharedArrayBuffer(4)) }),
  open: (_context, { length, data }) => ({
    length,
    read: () => {
      Atomics.add(data as Int32Array, 0, 1);
      return { source: { pixels: new Uint8Array(48), width: 4, height: 4, channels: 3 }, label: -1 };
    },
  }),
});
