import { defineNode, T } from '../../runtime/node.ts';
import { checkBytes, checkIndices, eachView, indices, ports } from './parts.ts';

const position = T.Integer();
const side = T.Integer({ minimum: 1 });

/** Three equal channels; with `size` on a black canvas of that size, with its corner at `box`. */
export default defineNode({
  type: 'transform/mnist_rgb',
  role: 'transform',
  description: 'Gray digits as RGB, on a black canvas when a size is given.',
  aliases: ['MNISTImgPil2RGB'],
  params: T.Object({
    size: T.Optional(
      T.Tuple([side, side], { description: 'width and height of the canvas; default that of the image' }),
    ),
    box: T.Tuple([position, position], { default: [0, 0], description: 'left and top of the image on the canvas' }),
    ...indices,
  }),
  ...ports,
  show: ['size'],
  facts: (facts, { size, indices }, problem) => {
    checkBytes(facts, problem);
    checkIndices(facts, indices, problem);
    return eachView(facts, indices, (view) => (size ? [[size[1]], [size[0]], [3]] : [view[0], view[1], [3]]));
  },
  create: ({ params: { size, box }, pixels }) => ({
    view: (view) => {
      const rgb = pixels.toRgb(view);
      return size ? pixels.crop(rgb, -box[0], -box[1], size[0], size[1]) : rgb;
    },
  }),
});
