import { defineNode, T } from '../../runtime/node.ts';
import { checkIndices, indices, ports } from './parts.ts';

const PRESETS = { imagenet: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } } as const;

const triple = (description: string, exclusiveMinimum?: number) =>
  T.Optional(T.Array(T.Number({ exclusiveMinimum }), { minItems: 1, maxItems: 3, description }));

interface Given {
  readonly preset?: 'imagenet';
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
}

const statistics = ({ preset, mean, std }: Given) => {
  const known = preset ? PRESETS[preset] : undefined;
  return { mean: mean ?? known?.mean ?? [], std: std ?? known?.std ?? [] };
};

/**
 * (value - mean) / std per channel, in float32. On bytes it divides by 255 first: a to_tensor before it may be left
 * out. Conversion and normalisation are one pass, done when the view is written to its batch.
 */
export default defineNode({
  type: 'transform/normalize',
  role: 'transform',
  description: 'Subtracts the mean and divides by the standard deviation per channel; takes bytes or floats.',
  aliases: ['Normalize'],
  params: T.Object({
    preset: T.Optional(T.Literal('imagenet', { description: 'mean and std of ImageNet' })),
    mean: triple('mean per channel, in [0, 1]'),
    std: triple('standard deviation per channel', 0),
    ...indices,
  }),
  ...ports,
  show: ['preset'],
  facts: (facts, params, problem) => {
    checkIndices(facts, params.indices, problem);
    if (params.preset === undefined && (params.mean === undefined || params.std === undefined)) {
      problem({ message: 'it needs mean and std', cure: 'Give both, or "preset": "imagenet"' });
    }
    const channels = facts.views[0]?.[2]?.[0];
    for (const [at, values] of Object.entries(statistics(params))) {
      if (typeof channels !== 'number' || values.length === 0 || values.length === channels) continue;
      problem({ at, message: `${at} has ${values.length} numbers, and the images have ${channels} channels` });
    }
    return { ...facts, dtype: 'float32' };
  },
  create: ({ params, pixels }) => {
    const normalize = statistics(params);
    return {
      view: (view) => {
        const form = view.tensor ?? { raw: false };
        if (view.dtype === 'uint8' && !form.normalize) return { ...view, tensor: { ...form, normalize } };
        const { tensor, ...plain } = view;
        const floats = view.dtype === 'uint8' ? pixels.toTensor(plain, tensor) : plain;
        pixels.normalize(floats, normalize);
        return floats;
      },
    };
  },
});
