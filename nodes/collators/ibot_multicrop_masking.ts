import { size } from '../../graph/dim.ts';
import type { Dim, SampleFacts } from '../../graph/port.ts';
import { batch, defineNode, sample, T } from '../../runtime/node.ts';
import { checkViews, shapeText } from './checks.ts';
import { batchOptions, batchParams, factPorts, factSlabs, sameShape, viewSlab } from './parts.ts';

/** 0 when it differs from image to image */
const side = (dim: Dim): number => size(dim) ?? 0;

/** Positions of the views whose longer side is the longest of all, and of the others. */
function groups({ views }: SampleFacts): { readonly global: readonly number[]; readonly local: readonly number[] } {
  const longer = views.map(([height, width]) => Math.max(side(height), side(width)));
  const longest = Math.max(...longer);
  const positions = views.map((_, position) => position);
  return {
    global: positions.filter((position) => longer[position] === longest),
    local: positions.filter((position) => longer[position] !== longest),
  };
}

const known = new WeakMap<SampleFacts, ReturnType<typeof groups>>();

function groupsOf(facts: SampleFacts): ReturnType<typeof groups> {
  const found = known.get(facts) ?? groups(facts);
  known.set(facts, found);
  return found;
}

/**
 * The largest crops with their masks, and all other crops, each crop-major. iBOT, Zhou et al. 2021, arXiv:2111.07832.
 * label, index and valid are repeated for every crop, the small ones included, in the order of the crops.
 */
export default defineNode({
  type: 'collator/ibot_multicrop_masking',
  role: 'collator',
  description: 'Batches of large crops with masks of their patches, and of small crops (iBOT).',
  aliases: ['ibot_multicrop_masking_collator'],
  params: T.Object(batchParams),
  inputs: { samples: sample.sample() },
  outputs: {
    global_views: batch.image(['G*N', 'H', 'W', 'C'], { description: 'large crops, crop-major' }),
    local_views: batch.image(['L*N', 'h', 'w', 'C'], { description: 'small crops, crop-major' }),
    mask: batch.tensor('uint8', ['G*N', 'R', 'S'], { description: 'per patch of a large crop: 1 when it is masked' }),
    ...factPorts('V*N'),
  },
  show: ['batch_size'],
  slabs: (facts, { batch_size }, problem) => {
    checkViews(facts, problem);
    const { global, local } = groupsOf(facts);
    if (local.length === 0) {
      problem({ message: 'all crops are of one size', cure: 'Add smaller ones: transform/multi_crop with two sizes' });
    }
    for (const group of [global, local]) {
      const odd = group.find((position) => !sameShape(facts.views[position], facts.views[group[0]]));
      if (odd === undefined) continue;
      const [first, other] = [group[0], odd].map((position) => shapeText(facts.views[position]));
      problem({ message: `views ${group[0]} and ${odd} are ${first} and ${other}; only two sizes can be collated` });
    }
    const unmasked = global.find((position) => facts.masks?.[position] === undefined);
    if (unmasked !== undefined || facts.masks?.length !== facts.views.length) {
      const message = `view ${unmasked ?? facts.masks?.length} has no mask of its patches`;
      problem({ message, cure: 'Put transform/masked_image_modeling at the end of the chain' });
    }
    const rows = (views: readonly number[]): Dim => [Math.max(1, views.length), batch_size];
    const grid = facts.masks?.[global[0]] ?? [[1], [1]];
    return [
      viewSlab('global_views', 0, rows(global), facts.views[global[0]]),
      viewSlab('local_views', 0, rows(local), facts.views[local[0] ?? 0]),
      { port: 'mask', element: 0, dtype: 'uint8', shape: [rows(global), ...grid] },
      ...factSlabs(facts, [facts.views.length, batch_size]),
    ];
  },
  create: (params) => ({
    ...batchOptions(params),
    repeat: 'view-major',
    place: (facts, view, row, rows) => {
      const { global, local } = groupsOf(facts);
      const large = global.indexOf(view);
      if (large < 0) return { slab: 1, row: local.indexOf(view) * rows + row };
      const at = large * rows + row;
      return { slab: 0, row: at, mask: { slab: 2, row: at } };
    },
  }),
});
