import { defineNode, T } from '../../runtime/node.ts';
import { checkBytes, checkIndices, eachView, indices, ports, resized } from './parts.ts';
import { knownSize } from './sizes.ts';

/** The other side is rounded, where transform/resize cuts it off; at least one pixel. */
function target({ width, height }: { width: number; height: number }, size: number) {
  const scale = size / Math.max(width, height);
  const side = (length: number) => Math.max(1, Math.round(length * scale));
  return { width: side(width), height: side(height) };
}

/** Resizes so that the longer side has a size and the aspect stays, bilinear. */
export default defineNode({
  type: 'transform/resize_larger_side',
  role: 'transform',
  description: 'Resizes each view so that its longer side has a size.',
  aliases: ['ImgPilResizeLargerSide'],
  params: T.Object({ size: T.Integer({ minimum: 1, description: 'the longer side in pixels' }), ...indices }),
  ...ports,
  show: ['size'],
  facts: (facts, { size, indices }, problem) => {
    checkBytes(facts, problem);
    checkIndices(facts, indices, problem);
    return eachView(facts, indices, (view) => {
      const known = knownSize(view);
      if (!known) return [['H'], ['W'], view[2]];
      const { height, width } = target(known, size);
      return resized(view, height, width);
    });
  },
  create: ({ params: { size }, pixels }) => ({
    view: (view) => {
      const { width, height } = target(view, size);
      return pixels.resize(view, width, height);
    },
  }),
});
