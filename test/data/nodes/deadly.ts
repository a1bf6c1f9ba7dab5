/** A dataset for tests: some images end the thread that reads them. */
import { existsSync, writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { defineNode, T } from '../../../runtime/node.ts';

export default defineNode({
  type: 'dataset/deadly',
  role: 'dataset',
  description: 'Ends its thread.',
  params: T.Object({
    length: T.Integer({ default: 60 }),
    always: T.Array(T.Integer(), { default: [], description: 'images that end the thread every time' }),
    once: T.Optional(T.String({ description: 'file: image 20 ends the thread unless the file exists, and makes it' })),
  }),
  facts: () => ({ views: [[[4], [4], [3]]], dtype: 'uint8', labelled: true }),
  scan: ({ params }) => ({ length: params.length, data: null }),
  open: ({ params: { length, always, once } }) => ({
    length,
    read: (index) => {
      if (isMainThread) throw new Error('read in the main thread');
      if (always.includes(index)) process.exit(7);
      if (once !== undefined && index === 20 && !existsSync(once)) {
        writeFileSync(once, '');
        process.exit(7);
      }
      return { source: { pixels: new Uint8Array(48).fill(index), width: 4, height: 4, channels: 3 }, label: index };
    },
  }),
});
