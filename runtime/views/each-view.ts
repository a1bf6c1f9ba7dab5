import { batch, defineNode, sample, T } from '../node.ts';

/** A collator that keeps every view of a sample apart: one tensor per view, whatever their sizes. For figures. */
export const eachView = defineNode({
  type: 'collator/each_view',
  role: 'collator',
  description: 'Every view in a tensor of its own.',
  params: T.Object({ batch_size: T.Integer({ minimum: 1, description: 'images' }) }),
  inputs: { samples: sample.sample() },
  outputs: {
    views: batch.image(['N', 'H', 'W', 'C'], { list: true }),
    index: batch.index(['N']),
    valid: batch.tensor('int32', ['N']),
  },
  slabs: ({ views, dtype }, { batch_size }) => [
    ...views.map((view, element) => ({ port: 'views', element, dtype, shape: [[batch_size], ...view] })),
    { port: 'index', element: 0, dtype: 'int32', shape: [[batch_size]] },
    { port: 'valid', element: 0, dtype: 'int32', shape: [[batch_size]] },
  ],
  create: ({ batch_size }) => ({
    batchSize: batch_size,
    dropLast: false,
    shuffle: undefined,
    sampler: 'distributed',
    repeat: 'none',
    place: (_facts, view, row) => ({ slab: view, row }),
  }),
});
