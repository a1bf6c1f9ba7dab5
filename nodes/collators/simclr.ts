import { batch, defineNode, sample, T } from '../../runtime/node.ts';
import { checkSameSize, checkViews } from './checks.ts';
import { batchOptions, batchParams, factPorts, factSlabs, viewSlab } from './parts.ts';

/** All first views of the batch, then all second ones, in one tensor; label, index and valid repeated in that order. */
export default defineNode({
  type: 'collator/simclr',
  role: 'collator',
  description: 'Batches of several views of one size in one tensor, view after view (SimCLR).',
  aliases: ['simclr_collator'],
  params: T.Object(batchParams),
  inputs: { samples: sample.sample() },
  outputs: { images: batch.image(['V*N', 'H', 'W', 'C']), ...factPorts('V*N') },
  show: ['batch_size'],
  slabs: (facts, { batch_size }, problem) => {
    checkViews(facts, problem);
    checkSameSize(facts, 0, facts.views.length, problem);
    const rows = [facts.views.length, batch_size];
    return [viewSlab('images', 0, rows, facts.views[0]), ...factSlabs(facts, rows)];
  },
  create: (params) => ({
    ...batchOptions(params),
    repeat: 'view-major',
    place: (_facts, view, row, rows) => ({ slab: 0, row: view * rows + row }),
  }),
});
