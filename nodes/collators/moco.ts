import { batch, defineNode, sample, T } from '../../runtime/node.ts';
import { checkSameSize, checkViews } from './checks.ts';
import { batchOptions, batchParams, factPorts, factSlabs, viewSlab } from './parts.ts';

/**
 * The first view of each image as query, the second as key. He et al. 2019, arXiv:1911.05722. label, index and valid
 * come once per image; VISSL has them twice, side by side.
 */
export default defineNode({
  type: 'collator/moco',
  role: 'collator',
  description: 'Batches of two views in two tensors, query and key (MoCo).',
  aliases: ['moco_collator'],
  params: T.Object(batchParams),
  inputs: { samples: sample.sample() },
  outputs: {
    query: batch.image(['N', 'H', 'W', 'C'], { description: 'first views' }),
    key: batch.image(['N', 'H', 'W', 'C'], { description: 'second views, for the momentum encoder' }),
    ...factPorts('N'),
  },
  show: ['batch_size'],
  slabs: (facts, { batch_size }, problem) => {
    checkViews(facts, problem);
    checkSameSize(facts, 0, facts.views.length, problem);
    if (facts.views.length !== 2) {
      const message = `samples have ${facts.views.length} views, and this collator takes two`;
      problem({ message, cure: 'Put transform/replicate with num_times 2 at the begin of the chain' });
    }
    const [query, key = query] = facts.views;
    return [
      viewSlab('query', 0, [batch_size], query),
      viewSlab('key', 0, [batch_size], key),
      ...factSlabs(facts, [batch_size]),
    ];
  },
  create: (params) => ({
    ...batchOptions(params),
    repeat: 'none',
    place: (_facts, view, row) => ({ slab: view, row }),
  }),
});
