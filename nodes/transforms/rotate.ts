import { defineNode, T } from '../../runtime/node.ts';
import { checkBytes, checkIndices, indices, ports } from './parts.ts';

/**
 * Turns each chosen view by a random one of num_angles equal steps, counter-clockwise on the same canvas, nearest
 * neighbour, black outside; the step becomes the label (that of the last view, when there are several). RotNet, Gidaris
 * et al. 2018, arXiv:1803.07728.
 */
export default defineNode({
  type: 'transform/rotate',
  role: 'transform',
  description: 'Turns each image by a random angle, which becomes its label (RotNet).',
  aliases: ['ImgRotatePil'],
  params: T.Object({
    num_angles: T.Integer({ default: 4, minimum: 1, description: 'number of angles, equal steps of a full turn' }),
    num_rotations_per_img: T.Literal(1, { default: 1, description: 'rotations of each image' }),
    ...indices,
  }),
  ...ports,
  show: ['num_angles'],
  facts: (facts, { num_angles, indices }, problem) => {
    checkBytes(facts, problem);
    checkIndices(facts, indices, problem);
    return { ...facts, labelled: true, labelSize: 1, classes: num_angles };
  },
  create: ({ params: { num_angles, indices }, pixels }) => ({
    sample: (sample, random) => {
      sample.views = sample.views.map((view, position) => {
        if (indices && !indices.includes(position)) return view;
        const step = random.integer(num_angles);
        sample.label = step;
        return pixels.rotate(view, (step * 360) / num_angles);
      });
    },
  }),
});
