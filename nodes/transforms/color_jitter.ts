import { jitterRanges, sampleColorJitter } from '../../runtime/data/pixels/sample-jitter.ts';
import { defineNode, T } from '../../runtime/node.ts';
import { indices, onBytes, ports } from './parts.ts';

const strength = (description: string) =>
  T.Union([T.Number({ minimum: 0 }), T.Tuple([T.Number(), T.Number()])], {
    default: 0,
    description: `${description}: a strength x for factors of 1 ± x (hue: ± x), or [lowest, highest]`,
  });

/** Brightness, contrast, saturation and hue by random factors, in random order. As torchvision's on Pillow images. */
export default defineNode({
  type: 'transform/color_jitter',
  role: 'transform',
  description: 'Changes brightness, contrast, saturation and hue by random factors.',
  aliases: ['ColorJitter'],
  params: T.Object({
    brightness: strength('brightness'),
    contrast: strength('contrast'),
    saturation: strength('saturation'),
    hue: strength('hue, at most 0.5'),
    ...indices,
  }),
  ...ports,
  show: ['brightness', 'contrast', 'saturation', 'hue'],
  facts: (facts, { indices, ...strengths }, problem) => {
    try {
      jitterRanges(strengths);
    } catch (error) {
      problem({ message: (error as Error).message });
    }
    return onBytes(facts, indices, problem);
  },
  create: ({ params: { indices: _, ...strengths }, pixels }) => {
    const ranges = jitterRanges(strengths);
    return {
      view: (view, random) => {
        pixels.jitter(view, sampleColorJitter(random, ranges));
        return view;
      },
    };
  },
});
