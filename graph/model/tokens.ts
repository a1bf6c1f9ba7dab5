/** Layers of transformers: between maps and tokens, attention among tokens, and tokens made one. */
import { formatShape, size } from '../dim.ts';
import type { Dim, Shape } from '../port.ts';
import type { Layer, PoolTokens, SelfAttention, Tokens } from './layers.ts';
import { count, join, LayerError, requireChannels, requireMap, type Tally, values, type WalkOptions } from './tally.ts';

export function tokenized(layer: Tokens, here: string, input: Shape, tally: Tally, options: WalkOptions): Shape {
  requireMap(input, here, layer);
  requireChannels(layer.features, input, here, layer);
  const own = layer.classToken ? 1 : 0;
  const parameter = (name: string, shape: readonly number[]) =>
    tally.parameters.push({
      name: join(here, name),
      shape,
      torchShape: shape,
      layer: layer.op,
      kind: 'weight',
      trainable: options.trainable,
    });
  if (layer.classToken) parameter('cls_token', [1, 1, layer.features]);
  parameter('pos_embed', [1, layer.rows * layer.columns + own, layer.features]);
  const [rows, columns] = [size(input[1]!), size(input[2]!)];
  const count: Dim =
    rows !== undefined && columns !== undefined ? [rows * columns + own] : [`${here || layer.op}.count`];
  return [input[0]!, count, [layer.features]];
}

export function attended(layer: SelfAttention, here: string, input: Shape, tally: Tally): Shape {
  requireTokens(input, here, layer);
  const [tokens, width] = [size(input[1]!), size(input[2]!)];
  if (width !== undefined && width % (3 * layer.heads) !== 0) {
    throw new LayerError(
      here,
      layer,
      `cannot split ${width} features in queries, keys and values of ${layer.heads} heads`,
    );
  }
  if (tokens === undefined || width === undefined) {
    tally.known = false;
    return width === undefined ? input : [input[0]!, input[1]!, [width / 3]];
  }
  count(tally, tokens * tokens, 2 * (width / 3) + layer.heads);
  return [input[0]!, input[1]!, [width / 3]];
}

export function pooledToken(layer: PoolTokens, here: string, input: Shape, tally: Tally): Shape {
  requireTokens(input, here, layer);
  if (layer.op === 'mean_token') count(tally, values(input));
  return [input[0]!, input[2]!];
}

function requireTokens(input: Shape, here: string, layer: Layer): void {
  if (input.length === 3) return;
  throw new LayerError(here, layer, `needs tokens [N, tokens, features], not ${formatShape(input)}`);
}
