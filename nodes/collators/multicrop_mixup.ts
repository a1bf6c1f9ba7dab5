import type { Dim } from '../../graph/port.ts';
import type { SlabArray } from '../../runtime/data/collation.ts';
import { batch, defineNode, sample, T } from '../../runtime/node.ts';
import { sampleBeta } from './beta.ts';
import { checkViews } from './checks.ts';
import { cropGroups, cropPlaces } from './multicrop.ts';
import { batchOptions, factPorts, factSlabs, pairParams, viewSlab } from './parts.ts';

/**
 * Blends images 2i and 2i+1 of every crop of `rows` images, in place, to the front: of `crops·rows` rows, `crops·rows/2`
 * remain.
 */
export function mixPairs(data: Float32Array, crops: number, rows: number, share: number): void {
  const size = data.length / (crops * rows);
  for (let out = 0; out < (crops * rows) / 2; out++) {
    const first = 2 * out * size;
    for (let i = 0; i < size; i++)
      data[out * size + i] = share * data[first + i] + (1 - share) * data[first + size + i];
  }
}

/** Keeps the row of the first image of each pair. */
function keepFirst(data: SlabArray, size: number): void {
  for (let out = 0; out * 2 * size < data.length; out++)
    data.copyWithin(out * size, 2 * out * size, (2 * out + 1) * size);
}

/**
 * Crops as of collator/multicrop, of pairs of images blended with one share for the whole batch, drawn from Beta(b, b):
 * batch_size images give batch_size / 2. label, index and valid are those of the first image of each pair.
 */
export default defineNode({
  type: 'collator/multicrop_mixup',
  role: 'collator',
  description: 'Batches of crops of several sizes, of pairs of images blended into one.',
  aliases: ['multicrop_mixup_collator'],
  params: T.Object({
    ...pairParams,
    beta: T.Number({ default: 0.2, exclusiveMinimum: 0, description: 'both parameters of the beta distribution' }),
  }),
  inputs: { samples: sample.sample() },
  outputs: { images: batch.image(['K*N', 'H', 'W', 'C'], { list: true }), ...factPorts('V*N') },
  show: ['batch_size', 'beta'],
  slabs: (facts, { batch_size }, problem) => {
    checkViews(facts, problem);
    const rows = (views: number): Dim => [views, batch_size / 2];
    return [
      ...cropGroups(facts).map(({ view, crops }, element) => viewSlab('images', element, rows(crops), view)),
      ...factSlabs(facts, rows(facts.views.length)),
    ];
  },
  create: (params) => ({
    ...batchOptions(params),
    multiple: 2,
    fill: 2,
    repeat: 'view-major',
    place: (facts, view, row, rows) => {
      const { group, crop } = cropPlaces(facts)[view];
      return { slab: group, row: crop * rows + row };
    },
    finish: ({ arrays, facts, rows, random }) => {
      const share = sampleBeta(random, params.beta, params.beta);
      const groups = cropGroups(facts);
      groups.forEach(({ crops }, slab) => {
        mixPairs(arrays[slab] as Float32Array, crops, rows, share);
      });
      for (const array of arrays.slice(groups.length)) keepFirst(array, array.length / (facts.views.length * rows));
    },
  }),
});
