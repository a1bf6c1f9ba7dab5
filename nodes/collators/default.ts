import { batch, defineNode, sample, T } from '../../runtime/node.ts';
import { checkViews } from './checks.ts';
import { batchOptions, batchParams, factPorts, factSlabs, viewSlab } from './parts.ts';

/** One view per image, stacked. */
export default defineNode({
  type: 'collator/default',
  role: 'collator',
  description: 'Batches of images with one view each.',
  aliases: ['default_collate'],
  params: T.Object(batchParams),
  inputs: { samples: sample.sample() },
  outputs: { images: batch.image(['N', 'H', 'W', 'C']), ...factPorts('N') },
  show: ['batch_size'],
  slabs: (facts, { batch_size }, problem) => {
    checkViews(facts, problem);
    if (facts.views.length !== 1) {
      problem({
        message: `samples have ${facts.views.length} views, and this collator takes one`,
        cure: 'Use collator/simclr for views of one size, or collator/multicrop for several sizes',
      });
    }
    return [viewSlab('images', 0, [batch_size], facts.views[0]), ...factSlabs(facts, [batch_size])];
  },
  create: (params) => ({
    ...batchOptions(params),
    repeat: 'none',
    place: (_facts, _view, row) => ({ slab: 0, row }),
  }),
});
