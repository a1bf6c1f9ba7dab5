import { batch, defineNode, sample, T } from '../../runtime/node.ts';
import { checkViews } from './checks.ts';
import { batchOptions, batchParams, factPorts, factSlabs, viewSlab } from './parts.ts';

/**
 * Samples as they are: one tensor per view, nothing repeated. VISSL hands on the list of samples; a batch here is
 * tensors, so views of one position are stacked.
 */
export default defineNode({
  type: 'collator/identity',
  role: 'collator',
  description: 'Batches with one tensor per view, whatever their sizes.',
  aliases: ['identity_collator'],
  params: T.Object(batchParams),
  inputs: { samples: sample.sample() },
  outputs: {
    images: batch.image(['N', 'H', 'W', 'C'], { list: true, description: 'one per view' }),
    ...factPorts('N'),
  },
  show: ['batch_size'],
  slabs: (facts, { batch_size }, problem) => {
    checkViews(facts, problem);
    return [
      ...facts.views.map((view, position) => viewSlab('images', position, [batch_size], view)),
      ...factSlabs(facts, [batch_size]),
    ];
  },
  create: (params) => ({
    ...batchOptions(params),
    repeat: 'none',
    place: (_facts, view, row) => ({ slab: view, row }),
  }),
});
