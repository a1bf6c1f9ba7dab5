import type { Label } from '../../runtime/data/sample.ts';
import { batch, defineNode, sample, T } from '../../runtime/node.ts';
import { checkViews } from './checks.ts';
import { batchOptions, batchParams, factPorts, factSlabs, viewSlab } from './parts.ts';

/** 1 for classes that apply, 0 for those known not to, -1 for the rest; a class in both lists counts as 0. */
export function partialOneHot(label: Label, out: Int32Array): void {
  if (typeof label === 'number' || !('positive' in label)) {
    throw new TypeError('its label is no lists of positive and negative classes');
  }
  out.fill(-1);
  const write = (classes: readonly number[], value: number) => {
    for (const k of classes) {
      if (!(k >= 0 && k < out.length)) throw new RangeError(`the class ${k} is not one of ${out.length}`);
      out[k] = value;
    }
  };
  write(label.positive, 1);
  write(label.negative, 0);
}

/** One view per image, and labels with unknown classes (OpenImages): 1, 0 or -1 per class. */
export default defineNode({
  type: 'collator/targets_one_hot',
  role: 'collator',
  description: 'Batches of images with positive, negative and unknown classes: 1, 0 and -1.',
  aliases: ['targets_one_hot_default_collator'],
  params: T.Object({
    ...batchParams,
    num_classes: T.Integer({ minimum: 1, description: 'number of classes' }),
  }),
  inputs: { samples: sample.sample() },
  outputs: {
    images: batch.image(['N', 'H', 'W', 'C']),
    ...factPorts('N'),
    label: batch.label(['N', 'K'], { description: '1, 0 or -1 per class' }),
  },
  show: ['batch_size', 'num_classes'],
  slabs: (facts, { batch_size, num_classes }, problem) => {
    checkViews(facts, problem);
    if (facts.views.length !== 1) {
      problem({ message: `samples have ${facts.views.length} views, and this collator takes one` });
    }
    return [
      viewSlab('images', 0, [batch_size], facts.views[0]),
      ...factSlabs({ ...facts, labelSize: num_classes }, [batch_size]),
    ];
  },
  create: (params) => ({
    ...batchOptions(params),
    repeat: 'none',
    place: (_facts, _view, row) => ({ slab: 0, row }),
    label: partialOneHot,
  }),
});
