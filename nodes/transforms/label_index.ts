import { defineNode, T } from '../../runtime/node.ts';
import { ports } from './parts.ts';

/** The position of the image in its dataset as its label: every image a class of its own. */
export default defineNode({
  type: 'transform/label_index',
  role: 'transform',
  description: "Makes the image's position in the dataset its label (instance discrimination).",
  aliases: ['sample_index'],
  params: T.Object({}),
  ...ports,
  facts: (facts) => ({ ...facts, labelled: true, labelSize: 1, classes: facts.length }),
  create: () => ({
    sample: (sample) => {
      sample.label = sample.index;
    },
  }),
});
