/** Layers with a weight: convolution, linear, and the scale and offset of normalisation. */
import { formatShape, size } from '../dim.ts';
import type { Shape } from '../port.ts';
import type { Conv2d, Layer, Linear } from './layers.ts';
import { slide, windowOf } from './sizes.ts';
import {
  count,
  join,
  LayerError,
  type ParameterSummary,
  requireChannels,
  requireMap,
  type Tally,
  values,
  type WalkOptions,
} from './tally.ts';

export function convolve(layer: Conv2d, here: string, input: Shape, tally: Tally, options: WalkOptions): Shape {
  const groups = layer.groups ?? 1;
  if (layer.in % groups !== 0 || layer.out % groups !== 0) {
    throw new LayerError(here, layer, `cannot split ${layer.in} → ${layer.out} channels in ${groups} groups`);
  }
  requireMap(input, here, layer);
  requireChannels(layer.in, input, here, layer);
  const [rows, columns] = layer.kernel;
  const trainable = options.trainable && layer.trainable !== false;
  tally.parameters.push({
    name: join(here, 'weight'),
    shape: [rows, columns, layer.in / groups, layer.out],
    torchShape: [layer.out, layer.in / groups, rows, columns],
    layer: layer.op,
    kind: 'weight',
    trainable,
  });
  if (layer.bias !== false) tally.parameters.push(bias(layer, here, layer.out, trainable));
  const output = slide(windowOf(layer), layer, here, input, layer.out);
  const produced = values(output);
  count(tally, produced, (rows * columns * layer.in) / groups);
  if (produced !== undefined) tally.activations += produced;
  return output;
}

export function multiply(layer: Linear, here: string, input: Shape, tally: Tally, options: WalkOptions): Shape {
  if (input.length < 2) throw new LayerError(here, layer, `needs [N, features], not ${formatShape(input)}`);
  if (input.length > 3) {
    throw new LayerError(here, layer, `needs [N, features], not a map of ${formatShape(input)}: flatten it first`);
  }
  requireChannels(layer.in, input, here, layer);
  const weight = {
    name: join(here, layer.weightNorm ? 'weight_v' : 'weight'),
    shape: [layer.in, layer.out],
    torchShape: [layer.out, layer.in],
    layer: layer.op,
    kind: 'weight' as const,
    trainable: options.trainable,
  };
  if (layer.weightNorm) {
    const length = {
      name: join(here, 'weight_g'),
      shape: [1, layer.out],
      torchShape: [layer.out, 1],
      trainable: false,
    };
    tally.parameters.push({ ...weight, ...length });
  }
  tally.parameters.push(weight);
  if (layer.bias !== false) tally.parameters.push(bias(layer, here, layer.out, options.trainable));
  const tokens = input.length === 3 ? size(input[1]!) : 1;
  count(tally, tokens, layer.in * layer.out + (layer.bias === false ? 0 : layer.out));
  return [...input.slice(0, -1), [layer.out]];
}

export function pair(
  layer: Layer,
  here: string,
  shape: readonly number[],
  tally: Tally,
  { trainable }: WalkOptions,
): void {
  const common = { shape, torchShape: shape, layer: layer.op, trainable };
  tally.parameters.push({ name: join(here, 'weight'), kind: 'weight', ...common });
  tally.parameters.push({ name: join(here, 'bias'), kind: 'bias', ...common });
}

function bias(layer: Conv2d | Linear, here: string, out: number, trainable: boolean): ParameterSummary {
  return { name: join(here, 'bias'), shape: [out], torchShape: [out], layer: layer.op, kind: 'bias', trainable };
}
