import { defineNode, T } from '../../runtime/node.ts';
import { checkBytes, checkIndices, eachView, indices, ports, resized } from './parts.ts';
import { heightWidth, interpolation, knownSize, scaledTo, size } from './sizes.ts';

/**
 * Resizes to [height, width], or so that one side has a size and the aspect stays; the other side is cut to a whole
 * number. With `side: "longer"` it is VISSL's MultigrainResize(largest).
 */
export default defineNode({
  type: 'transform/resize',
  role: 'transform',
  description: 'Resizes each view, to an exact size or by one side.',
  aliases: ['Resize', 'MultigrainResize'],
  params: T.Object({
    size: size('the side in pixels, or [height, width] exactly'),
    side: T.Union([T.Literal('shorter'), T.Literal('longer')], {
      default: 'shorter',
      description: 'which side gets the size, when one is given',
    }),
    interpolation,
    ...indices,
  }),
  ...ports,
  show: ['size'],
  facts: (facts, { size, side, indices }, problem) => {
    checkBytes(facts, problem);
    checkIndices(facts, indices, problem);
    return eachView(facts, indices, (view) => {
      if (typeof size !== 'number') return resized(view, ...heightWidth(size));
      const known = knownSize(view);
      if (!known) return [['H'], ['W'], view[2]];
      const { height, width } = scaledTo(known, size, side);
      return resized(view, height, width);
    });
  },
  create: ({ params: { size, side, interpolation }, pixels }) => ({
    view: (view) => {
      const [height, width] = typeof size === 'number' ? [0, 0] : size;
      const target = typeof size === 'number' ? scaledTo(view, size, side) : { height, width };
      if (target.width === view.width && target.height === view.height) return view;
      return pixels.resize(view, Math.max(1, target.width), Math.max(1, target.height), { interpolation });
    },
  }),
});
