/**
 * One walk over a tree of layers: the shape behind each layer, its parameters and buffers, and what it costs.
 * Costs follow ClassyVision's profiler, one multiply-accumulate = 1: convolutions (without bias) and linear layers their
 * products, normalisation 2 per value, activations and dropout 1 per value, pooling its window per output value; sums,
 * gates' products and reshapes nothing. Activations count the outputs of convolutions. Layers the profiler refuses
 * (local response norm, GELU, swish, l2 norm) are counted here as 1 per value, local response norm as its window.
 * Attention is counted as its two products and 1 per weight.
 */
import { size } from '../dim.ts';
import type { Shape } from '../port.ts';
import type { Layer } from './layers.ts';
import { adaptivelyPooled, flattened, pooled, selected } from './reshape.ts';
import {
  count,
  join,
  LayerError,
  requireChannels,
  requireMap,
  requireSame,
  type Tally,
  values,
  type WalkOptions,
} from './tally.ts';
import { attended, pooledToken, tokenized } from './tokens.ts';
import { convolve, multiply, pair } from './weights.ts';

/** The shape behind `layer`, which stands at `path`; throws a LayerError. */
export function walk(layer: Layer, path: string, input: Shape, tally: Tally, options: WalkOptions): Shape {
  const here = join(path, layer.name);
  const inner = (next: Layer, shape: Shape) => walk(next, here, shape, tally, options);
  switch (layer.op) {
    case 'sequence':
      return layer.layers.reduce((shape, next) => inner(next, shape), input);
    case 'residual': {
      const main = inner(layer.main, input);
      const shortcut = layer.shortcut ? inner(layer.shortcut, input) : input;
      requireSame(main, shortcut, here, layer);
      if (layer.activation !== 'none') count(tally, values(main));
      return main;
    }
    case 'gate': {
      const gate = inner(layer.gate, input);
      const channels = [size(gate.at(-1)!), size(input.at(-1)!)];
      if (channels[0] !== channels[1] && !channels.includes(undefined)) {
        throw new LayerError(here, layer, `gives ${channels[0]} gates for ${channels[1]} channels`);
      }
      return input;
    }
    case 'conv2d':
      return convolve(layer, here, input, tally, options);
    case 'linear':
      return multiply(layer, here, input, tally, options);
    case 'batch_norm':
      requireChannels(layer.features, input, here, layer);
      if (layer.affine !== false) pair(layer, here, [layer.features], tally, options);
      for (const kind of ['running_mean', 'running_var', 'num_batches_tracked'] as const) {
        const shape = kind === 'num_batches_tracked' ? [] : [layer.features];
        tally.buffers.push({ name: join(here, kind), shape, layer: layer.op, kind });
      }
      count(tally, values(input), 2);
      return input;
    case 'layer_norm_2d':
      requireMap(input, here, layer);
      requireChannels(layer.features, input, here, layer);
      if (layer.features % (layer.groups ?? 1) !== 0) {
        throw new LayerError(here, layer, `cannot split ${layer.features} channels in ${layer.groups} groups`);
      }
      pair(layer, here, [layer.features], tally, options);
      count(tally, values(input), 2);
      return input;
    case 'layer_norm':
      requireChannels(layer.features, input, here, layer);
      pair(layer, here, [layer.features], tally, options);
      count(tally, values(input), 2);
      return input;
    case 'tokens':
      return tokenized(layer, here, input, tally, options);
    case 'self_attention':
      return attended(layer, here, input, tally);
    case 'first_token':
    case 'mean_token':
      return pooledToken(layer, here, input, tally);
    case 'local_response_norm':
      requireMap(input, here, layer);
      count(tally, values(input), layer.size);
      return input;
    case 'select_channels':
      return selected(layer.channels, input, here, layer);
    case 'relu':
    case 'sigmoid':
    case 'swish':
    case 'gelu':
    case 'tanh':
    case 'dropout':
    case 'l2_normalize':
      count(tally, values(input));
      return input;
    case 'max_pool':
    case 'avg_pool':
      return pooled(layer, here, input, tally);
    case 'adaptive_avg_pool':
    case 'adaptive_max_pool':
      return adaptivelyPooled(layer, here, input, tally);
    case 'flatten':
      return flattened(input);
    case 'identity':
      return input;
  }
}
