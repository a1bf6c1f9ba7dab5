import { batch, defineNode, sample, T } from '../../runtime/node.ts';
import { checkSameSize, checkViews } from './checks.ts';
import { batchOptions, batchParams, factPorts, factSlabs, viewSlab } from './parts.ts';

/** The first view of each image, and all other views (patches) image after image. PIRL, arXiv:1912.01991. */
export default defineNode({
  type: 'collator/patch_and_image',
  role: 'collator',
  description: 'Batches of an image and its patches, in two tensors (PIRL).',
  aliases: ['patch_and_image_collator'],
  params: T.Object(batchParams),
  inputs: { samples: sample.sample() },
  outputs: {
    images: batch.image(['N', 'H', 'W', 'C']),
    patches: batch.image(['N*P', 'h', 'w', 'C'], {
      description: 'P patches of the first image, then of the second, …',
    }),
    ...factPorts('N'),
  },
  show: ['batch_size'],
  slabs: (facts, { batch_size }, problem) => {
    checkViews(facts, problem);
    checkSameSize(facts, 1, facts.views.length, problem);
    const [image, patch = image] = facts.views;
    const patches = facts.views.length - 1;
    if (patches < 1) {
      problem({
        message: 'samples have no patches',
        cure: 'Put transform/patches_and_image at the begin of the chain',
      });
    }
    return [
      viewSlab('images', 0, [batch_size], image),
      viewSlab('patches', 0, [batch_size, Math.max(1, patches)], patch),
      ...factSlabs(facts, [batch_size]),
    ];
  },
  create: (params) => ({
    ...batchOptions(params),
    repeat: 'none',
    place: (facts, view, row) =>
      view === 0 ? { slab: 0, row } : { slab: 1, row: row * (facts.views.length - 1) + view - 1 },
  }),
});
