import { defineNode, T } from '../../runtime/node.ts';
import { ports } from './parts.ts';

/** The label (a class, or several) as one number per class: 1 where it applies, else 0. */
export default defineNode({
  type: 'transform/one_hot',
  role: 'transform',
  description: 'Class labels as vectors of 0 and 1.',
  aliases: ['OneHotEncode'],
  params: T.Object({ num_classes: T.Integer({ minimum: 1, description: 'number of classes' }) }),
  ...ports,
  show: ['num_classes'],
  facts: (facts, { num_classes }, problem) => {
    if (!facts.labelled) problem({ message: 'the samples have no labels' });
    if (facts.classes !== undefined && facts.classes > num_classes) {
      problem({ at: 'num_classes', message: `there are ${facts.classes} classes, and num_classes is ${num_classes}` });
    }
    return { ...facts, labelSize: num_classes };
  },
  create: ({ params: { num_classes } }) => ({
    sample: (sample) => {
      const { label } = sample;
      const applies = typeof label === 'number' ? [label] : 'positive' in label ? label.positive : label;
      const encoded = new Array<number>(num_classes).fill(0);
      for (const k of applies) {
        if (!(k >= 0 && k < num_classes)) throw new RangeError(`the label ${k} is not one of ${num_classes} classes`);
        encoded[k] = 1;
      }
      sample.label = encoded;
    },
  }),
});
