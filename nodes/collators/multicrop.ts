import type { Dim, SampleFacts, Shape } from '../../graph/port.ts';
import { batch, defineNode, sample, T } from '../../runtime/node.ts';
import { checkViews } from './checks.ts';
import { batchOptions, batchParams, factPorts, factSlabs, sameShape, viewSlab } from './parts.ts';

interface Group {
  readonly view: Shape;
  /** position of the first of its crops */
  readonly first: number;
  readonly crops: number;
}

/** Consecutive views of one size. */
export function cropGroups(facts: SampleFacts): readonly Group[] {
  const groups: { view: Shape; first: number; crops: number }[] = [];
  facts.views.forEach((view, position) => {
    const last = groups.at(-1);
    if (last && sameShape(last.view, view)) last.crops++;
    else groups.push({ view, first: position, crops: 1 });
  });
  return groups;
}

const known = new WeakMap<SampleFacts, { group: number; crop: number }[]>();

/** Group and position in it of each view. */
export function cropPlaces(facts: SampleFacts): readonly { group: number; crop: number }[] {
  let places = known.get(facts);
  if (!places) {
    places = cropGroups(facts).flatMap(({ crops }, group) =>
      Array.from({ length: crops }, (_, crop) => ({ group, crop })),
    );
    known.set(facts, places);
  }
  return places;
}

/**
 * Crops of several sizes: one tensor per run of crops of one size, all first crops of the batch, then all second ones.
 * label, index and valid are repeated for every crop in that order. VISSL has one tensor per crop; concatenated they
 * are the same rows.
 */
export default defineNode({
  type: 'collator/multicrop',
  role: 'collator',
  description: 'Batches of crops of several sizes: one tensor per size, crop after crop (SwAV).',
  aliases: ['multicrop_collator'],
  params: T.Object(batchParams),
  inputs: { samples: sample.sample() },
  outputs: {
    images: batch.image(['K*N', 'H', 'W', 'C'], { list: true, description: 'one tensor per size of crop, crop-major' }),
    ...factPorts('V*N'),
  },
  show: ['batch_size'],
  slabs: (facts, params, problem) => {
    checkViews(facts, problem);
    const rows = (views: number): Dim => [views, params.batch_size];
    return [
      ...cropGroups(facts).map(({ view, crops }, element) => viewSlab('images', element, rows(crops), view)),
      ...factSlabs(facts, rows(facts.views.length)),
    ];
  },
  create: (params) => ({
    ...batchOptions(params),
    repeat: 'view-major',
    place: (facts, view, row, rows) => {
      const { group, crop } = cropPlaces(facts)[view];
      return { slab: group, row: crop * rows + row };
    },
  }),
});
