import { batch, defineNode, sample, T } from '../../runtime/node.ts';
import { checkSameSize, checkViews } from './checks.ts';
import { batchOptions, batchParams, factPorts, factSlabs, viewSlab } from './parts.ts';

/**
 * The views of an image (the patches of a Jigsaw) are the towers of a siamese network: one after the other, image by
 * image. label, index and valid come once per image.
 */
export default defineNode({
  type: 'collator/siamese',
  role: 'collator',
  description: 'Batches of patches, image after image, with one label per image (Jigsaw).',
  aliases: ['siamese_collator'],
  params: T.Object(batchParams),
  inputs: { samples: sample.sample() },
  outputs: {
    images: batch.image(['N*P', 'H', 'W', 'C'], { description: 'P patches of the first image, then of the second, …' }),
    ...factPorts('N'),
  },
  show: ['batch_size'],
  slabs: (facts, { batch_size }, problem) => {
    checkViews(facts, problem);
    checkSameSize(facts, 0, facts.views.length, problem);
    return [viewSlab('images', 0, [batch_size, facts.views.length], facts.views[0]), ...factSlabs(facts, [batch_size])];
  },
  create: (params) => ({
    ...batchOptions(params),
    repeat: 'none',
    place: (facts, view, row) => ({ slab: 0, row: row * facts.views.length + view }),
  }),
});
