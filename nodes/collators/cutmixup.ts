import type { Dim, SampleFacts } from '../../graph/port.ts';
import { batch, defineNode, sample, T } from '../../runtime/node.ts';
import { checkViews } from './checks.ts';
import { drawsOf, mixImages } from './mix.ts';
import { cropGroups, cropPlaces } from './multicrop.ts';
import { batchOptions, factPorts, factSlabs, pairParams, viewSlab } from './parts.ts';

const share = (description: string, value: number) => T.Number({ default: value, minimum: 0, maximum: 1, description });
const alpha = (what: string, value: number) =>
  T.Number({
    default: value,
    minimum: 0,
    description: `parameter of the beta distribution of ${what}; 0 turns it off`,
  });

/** Rows of a view: one mixed batch each. */
function* viewsOf(facts: SampleFacts, rows: number) {
  for (const [slab, { crops, view }] of cropGroups(facts).entries()) {
    const [height, width, channels] = view.map((dim) => dim[0] as number);
    for (let crop = 0; crop < crops; crop++)
      yield { slab, crop: crop * rows, size: [height, width, channels] as const };
  }
}

/**
 * Crops as of collator/multicrop; in each, image i is mixed with image N-1-i by MixUp or CutMix, and so are the labels,
 * as probabilities per class with label smoothing. The choices are drawn per view (and per image or pair, by mode).
 */
export default defineNode({
  type: 'collator/cutmixup',
  role: 'collator',
  description: 'Batches of images and labels mixed by MixUp or CutMix.',
  aliases: ['cutmixup_collator'],
  params: T.Object({
    ...pairParams,
    num_classes: T.Integer({ minimum: 1, description: 'number of classes' }),
    mixup_alpha: alpha('MixUp', 1),
    cutmix_alpha: alpha('CutMix', 0),
    cutmix_minmax: T.Optional(
      T.Tuple([T.Number({ minimum: 0, maximum: 1 }), T.Number({ minimum: 0, maximum: 1 })], {
        description: 'range of the sides of the box as shares of the sides of the image; turns CutMix on',
      }),
    ),
    prob: share('probability of mixing', 1),
    switch_prob: share('probability of CutMix where both are on', 0.5),
    mode: T.Union([T.Literal('batch'), T.Literal('pair'), T.Literal('elem')], {
      default: 'batch',
      description: 'one choice for all images, for each pair, or for each image',
    }),
    correct_lam: T.Boolean({ default: true, description: 'labels by the area that the box really covers' }),
    label_smoothing: share('probability spread over all classes', 0.1),
  }),
  inputs: { samples: sample.sample() },
  outputs: {
    images: batch.image(['K*N', 'H', 'W', 'C'], { list: true }),
    ...factPorts('V*N'),
    label: batch.tensor('float32', ['V*N', 'D'], { description: 'probability of each class' }),
  },
  show: ['batch_size', 'mixup_alpha', 'cutmix_alpha'],
  slabs: (facts, { batch_size, num_classes }, problem) => {
    checkViews(facts, problem);
    if (!facts.labelled) problem({ message: 'the samples have no labels to mix' });
    const rows = (views: number): Dim => [views, batch_size];
    const [, ...others] = factSlabs(facts, rows(facts.views.length));
    return [
      ...cropGroups(facts).map(({ view, crops }, element) => viewSlab('images', element, rows(crops), view)),
      { port: 'label', element: 0, dtype: 'float32', shape: [rows(facts.views.length), [num_classes]] },
      ...others,
    ];
  },
  create: (params) => ({
    ...batchOptions(params),
    multiple: 2,
    repeat: 'view-major',
    place: (facts, view, row, rows) => {
      const { group, crop } = cropPlaces(facts)[view];
      return { slab: group, row: crop * rows + row };
    },
    /** the class, where its probabilities will be */
    label: (label, out) => {
      if (typeof label !== 'number' || label < 0 || label >= params.num_classes) {
        throw new RangeError(`its label ${JSON.stringify(label)} is not one of ${params.num_classes} classes`);
      }
      out[0] = label;
    },
    finish: ({ arrays, facts, rows, random }) => {
      const { num_classes, label_smoothing } = params;
      const draws = drawsOf(random);
      const labels = arrays[cropGroups(facts).length] as Float32Array;
      const written = new Int32Array(labels.buffer, labels.byteOffset, labels.length);
      const classes = Int32Array.from({ length: rows }, (_, row) => written[row * num_classes]);
      const off = label_smoothing / num_classes;
      let view = 0;
      for (const { slab, crop, size } of viewsOf(facts, rows)) {
        const pixels = size[0] * size[1] * size[2];
        const images = (arrays[slab] as Float32Array).subarray(crop * pixels, (crop + rows) * pixels);
        const shares = mixImages(images, rows, size, params, draws);
        for (let row = 0; row < rows; row++) {
          const at = (view * rows + row) * num_classes;
          labels.fill(off, at, at + num_classes);
          labels[at + classes[row]] += shares[row] * (1 - label_smoothing);
          labels[at + classes[rows - 1 - row]] += (1 - shares[row]) * (1 - label_smoothing);
        }
        view++;
      }
    },
  }),
});
