import type { Init, Layer, ModelSpec, Stage } from '../../graph/model/layers.ts';
import { batch, defineNode, T } from '../../runtime/node.ts';
import { inputChannels, inputType } from './input-type.ts';

/**
 * Vision transformer: patches as tokens, blocks of self-attention and a perceptron, each behind a layer norm. Dosovitskiy
 * et al. 2021, arXiv:2010.11929. The defaults are DeiT's small one (Touvron et al. 2021, arXiv:2012.12877); tiny has
 * `dim` 192 and 3 heads, base 768 and 12. State-dict names are those of timm and DINO ("blocks.0.attn.qkv.weight"), so
 * that their weights load. Images of another size than `image_size`, small crops say, get interpolated positions.
 */
export default defineNode({
  type: 'trunk/vit',
  description: 'Vision transformer (arXiv:2010.11929): features of the class token, or the mean of all tokens.',
  aliases: ['vision_transformer', 'vit', 'deit'],
  role: 'model',
  params: T.Object({
    image_size: T.Integer({ default: 224, minimum: 1, description: 'rows and columns that the positions are for' }),
    patch_size: T.Integer({ default: 16, minimum: 1, description: 'rows and columns of a patch' }),
    dim: T.Integer({ default: 384, minimum: 1, description: 'features of a token' }),
    depth: T.Integer({ default: 12, minimum: 1, description: 'blocks' }),
    heads: T.Integer({ default: 6, minimum: 1, description: 'heads of attention; they divide dim' }),
    mlp_ratio: T.Number({ default: 4, exclusiveMinimum: 0, description: 'hidden features of a perceptron by dim' }),
    drop_path: T.Number({
      default: 0,
      minimum: 0,
      exclusiveMaximum: 1,
      description:
        'probability that the last block is left out for an image in training; it grows from 0 over the blocks',
    }),
    pool: T.Union([T.Literal('class_token'), T.Literal('mean')], {
      default: 'class_token',
      description: 'features: those of a class token in front, or the mean over the patches (without class token)',
    }),
    input: inputType,
  }),
  inputs: {
    images: batch.image(['N', 'H', 'W', 3], { list: true, description: 'one group per size; run one by one' }),
  },
  outputs: {
    tokens: batch.tensor('float32', ['N', 'T', 'D'], { description: 'after the last norm; the class token first' }),
    features: batch.tensor('float32', ['N', 'D'], { description: 'the class token or the mean, after the last norm' }),
  },
  show: ['patch_size', 'dim', 'depth', 'heads'],
  model: ({ params, problem }): ModelSpec | undefined => {
    const { image_size, patch_size, dim, depth, heads } = params;
    const patches = image_size / patch_size;
    if (!Number.isInteger(patches)) {
      const message = `patches of ${patch_size} do not divide an image of ${image_size}`;
      problem({ at: 'patch_size', message, cure: 'Take an image_size that is a multiple of patch_size' });
      return undefined;
    }
    if (dim % heads !== 0) {
      problem({ at: 'heads', message: `${heads} heads do not divide ${dim} features`, cure: 'Take a divisor of dim' });
      return undefined;
    }
    const hidden = Math.round(dim * params.mlp_ratio);
    const classToken = params.pool === 'class_token';
    const input = inputChannels(params.input);
    const blocks = Array.from({ length: depth }, (_, i): Stage => {
      const dropPath = depth > 1 ? (params.drop_path * i) / (depth - 1) : params.drop_path;
      return { name: `blocks.${i}`, layer: block(dim, heads, hidden, dropPath) };
    });
    const patch = [patch_size, patch_size] as const;
    return {
      stages: [
        ...(input.layer ? [{ name: 'input', layer: input.layer }] : []),
        {
          name: 'patch_embed',
          layer: { op: 'conv2d', name: 'proj', in: input.channels, out: dim, kernel: patch, stride: patch },
        },
        { name: '', layer: { op: 'tokens', features: dim, rows: patches, columns: patches, classToken, std: 0.02 } },
        ...blocks,
        { name: 'norm', layer: { op: 'layer_norm', features: dim, eps: 1e-6 } },
      ],
      outputs: {
        tokens: { stage: 'norm' },
        features: { stage: 'norm', layer: { op: classToken ? 'first_token' : 'mean_token' } },
      },
    };
  },
});

const init: Init = { kind: 'normal', std: 0.02 };
const linear = (name: string, from: number, to: number): Layer => ({
  op: 'linear',
  name,
  in: from,
  out: to,
  init,
  biasInit: { kind: 'constant', value: 0 },
});
const norm = (name: string, features: number): Layer => ({ op: 'layer_norm', name, features, eps: 1e-6 });

function block(dim: number, heads: number, hidden: number, dropPath: number): Layer {
  const attention: Layer[] = [linear('qkv', dim, 3 * dim), { op: 'self_attention', heads }, linear('proj', dim, dim)];
  const perceptron: Layer[] = [linear('fc1', dim, hidden), { op: 'gelu' }, linear('fc2', hidden, dim)];
  const added = (name: string, normName: string, layers: readonly Layer[]): Layer => ({
    op: 'residual',
    main: { op: 'sequence', layers: [norm(normName, dim), { op: 'sequence', name, layers }] },
    activation: 'none',
    dropPath,
    dropName: name,
  });
  return {
    op: 'sequence',
    layers: [added('attn', 'norm1', attention), added('mlp', 'norm2', perceptron)],
  };
}
