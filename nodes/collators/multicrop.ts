import type { Ports } from '../../graph/node-type.ts';
import type { Dim, SampleFacts, Shape } from '../../graph/port.ts';
import { batch, defineNode, sample, T } from '../../runtime/node.ts';
import { checkViews } from './checks.ts';
import { largest, paddingMask } from './padding.ts';
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
 * are the same rows. With create_multidimensional_tensor all crops are rows of one tensor as large as the largest, in
 * its upper left corner, and `mask` is 1 where a row has no pixel (VISSL's MultiDimensionalTensor).
 */
export default defineNode({
  type: 'collator/multicrop',
  role: 'collator',
  description: 'Batches of crops of several sizes: one tensor per size, crop after crop (SwAV).',
  aliases: ['multicrop_collator'],
  params: T.Object({
    ...batchParams,
    create_multidimensional_tensor: T.Boolean({
      default: false,
      description: 'one tensor for crops of all sizes, padded with 0, and a mask of the padding',
    }),
  }),
  inputs: { samples: sample.sample() },
  outputs: ({ create_multidimensional_tensor: padded }): Ports =>
    padded
      ? {
          images: batch.image(['V*N', 'H', 'W', 'C'], { description: 'all crops, crop-major, padded with 0' }),
          mask: batch.tensor('uint8', ['V*N', 'H', 'W'], { description: '1 where there is no pixel' }),
          ...factPorts('V*N'),
        }
      : {
          images: batch.image(['K*N', 'H', 'W', 'C'], {
            list: true,
            description: 'one tensor per size of crop, crop-major',
          }),
          ...factPorts('V*N'),
        },
  show: ['batch_size'],
  slabs: (facts, { batch_size, create_multidimensional_tensor: padded }, problem) => {
    checkViews(facts, problem);
    const rows = (views: number): Dim => [views, batch_size];
    const all = rows(facts.views.length);
    const { height, width, channels } = largest(facts);
    const images = padded
      ? [
          { ...viewSlab('images', 0, all, [height, width, channels]), padded },
          { port: 'mask', element: 0, dtype: 'uint8' as const, shape: [all, height, width] },
        ]
      : cropGroups(facts).map(({ view, crops }, element) => viewSlab('images', element, rows(crops), view));
    return [...images, ...factSlabs(facts, all)];
  },
  create: (params) => ({
    ...batchOptions(params),
    repeat: 'view-major',
    ...(params.create_multidimensional_tensor
      ? {
          place: (_facts, view, row, rows) => ({ slab: 0, row: view * rows + row }),
          finish: ({ arrays, facts, rows }) => paddingMask(arrays[1] as Uint8Array, facts, rows),
        }
      : {
          place: (facts, view, row, rows) => {
            const { group, crop } = cropPlaces(facts)[view];
            return { slab: group, row: crop * rows + row };
          },
        }),
  }),
});
