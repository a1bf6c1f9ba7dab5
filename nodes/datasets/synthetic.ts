import { grayPicture } from '../../runtime/data/replacement.ts';
import { defineNode, T } from '../../runtime/node.ts';
import { limit, limited, ports } from './parts.ts';

/** The same gray picture (all values 128) again and again, without labels: for tests of everything but the data. */
export default defineNode({
  type: 'dataset/synthetic',
  role: 'dataset',
  description: 'Gray pictures without labels, for tests of a pipeline.',
  aliases: ['synthetic'],
  params: T.Object({
    length: T.Integer({ default: 50000, minimum: 1, description: 'number of pictures' }),
    size: T.Integer({ default: 224, minimum: 1, description: 'side in pixels' }),
    ...limit,
  }),
  ...ports,
  show: ['length', 'size'],
  facts: ({ size, length, limit }) => ({
    views: [[[size], [size], [3]]],
    dtype: 'uint8',
    labelled: false,
    length: limited(length, limit),
  }),
  scan: ({ params: { length, limit } }) => ({ length: limited(length, limit), data: null }),
  open: ({ params: { size } }, { length }) => {
    const picture = grayPicture(size, size);
    return { length, read: () => ({ source: picture, label: -1 }) };
  },
});
