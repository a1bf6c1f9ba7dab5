import { defineNode, T } from '../../runtime/node.ts';
import { checkIndices, eachView, indices, ports, resized, withForm } from './parts.ts';
import { centred, heightWidth, size } from './sizes.ts';

/** The middle of each view; what lies outside a smaller picture is black. */
export default defineNode({
  type: 'transform/center_crop',
  role: 'transform',
  description: 'Cuts the middle out of each view.',
  aliases: ['CenterCrop'],
  params: T.Object({ size: size('side of the result, or [height, width], in pixels'), ...indices }),
  ...ports,
  show: ['size'],
  facts: (facts, params, problem) => {
    checkIndices(facts, params.indices, problem);
    return eachView(facts, params.indices, (view) => resized(view, ...heightWidth(params.size)));
  },
  create: ({ params, pixels }) => {
    const [height, width] = heightWidth(params.size);
    return {
      view: (view) =>
        withForm(pixels.crop(view, centred(view.width, width), centred(view.height, height), width, height), view),
    };
  },
});
