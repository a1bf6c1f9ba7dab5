import { sampleCropPosition } from '../../runtime/data/pixels/sample-crop.ts';
import { defineNode, T } from '../../runtime/node.ts';
import { checkIndices, eachView, indices, ports, resized, withForm } from './parts.ts';
import { heightWidth, knownSize, size } from './sizes.ts';

/**
 * A part of each view at a random place. A picture smaller than the part counts as bad, unless it is padded. Draws as
 * torchvision's, padding with one value.
 */
export default defineNode({
  type: 'transform/random_crop',
  role: 'transform',
  description: 'Cuts a part of one size out of each view at a random place.',
  aliases: ['RandomCrop'],
  params: T.Object({
    size: size('side of the result, or [height, width], in pixels'),
    padding: T.Integer({ default: 0, minimum: 0, description: 'pixels to add on each side first' }),
    pad_if_needed: T.Boolean({ default: false, description: 'also pad pictures that are smaller than the size' }),
    fill: T.Integer({ default: 0, minimum: 0, maximum: 255, description: 'value of padding' }),
    ...indices,
  }),
  ...ports,
  show: ['size'],
  facts: (facts, params, problem) => {
    checkIndices(facts, params.indices, problem);
    const [height, width] = heightWidth(params.size);
    return eachView(facts, params.indices, (view, position) => {
      const known = knownSize(view);
      const margin = 2 * params.padding;
      const fits = !known || (known.height + margin >= height && known.width + margin >= width);
      if (!fits && !params.pad_if_needed) {
        const message = `view ${position} is ${known.height}×${known.width}, smaller than ${height}×${width}`;
        problem({ at: 'size', message, cure: 'Set "pad_if_needed": true, or resize first' });
      }
      return resized(view, height, width);
    });
  },
  create: ({ params: { size, padding, pad_if_needed, fill }, pixels }) => {
    const [height, width] = heightWidth(size);
    return {
      view: (view, random) => {
        const missing = (side: number, wanted: number) =>
          padding + (pad_if_needed ? Math.max(0, wanted - side - 2 * padding) : 0);
        const x = missing(view.width, width);
        const y = missing(view.height, height);
        const padded = { width: view.width + 2 * x, height: view.height + 2 * y };
        if (padded.width < width || padded.height < height) {
          const is = `${view.height}×${view.width}`;
          throw new RangeError(`the picture is ${is}, smaller than ${height}×${width}: set pad_if_needed`);
        }
        const { left, top } = sampleCropPosition(random, padded, width, height);
        return withForm(pixels.crop(view, left - x, top - y, width, height, fill), view);
      },
    };
  },
});
