/** Layers without parameters that change the shape: pooling, flattening, picking channels. */
import { size } from '../dim.ts';
import type { Shape } from '../port.ts';
import type { AdaptivePool, Layer, Pool } from './layers.ts';
import { slide, windowOf } from './sizes.ts';
import { count, LayerError, requireMap, type Tally, values } from './tally.ts';

export function pooled(layer: Pool, here: string, input: Shape, tally: Tally): Shape {
  requireMap(input, here, layer);
  const window = windowOf(layer);
  if (window.padding.some((padding, axis) => 2 * padding > window.kernel[axis]!)) {
    throw new LayerError(
      here,
      layer,
      `pads by ${window.padding}, more than half its ${window.kernel.join('×')} window`,
    );
  }
  const output = slide(window, layer, here, input);
  count(tally, values(output), window.kernel[0] * window.kernel[1]);
  return output;
}

export function adaptivelyPooled(layer: AdaptivePool, here: string, input: Shape, tally: Tally): Shape {
  requireMap(input, here, layer);
  const output: Shape = [input[0]!, [layer.size[0]], [layer.size[1]], input[3]!];
  const [rows, columns] = [size(input[1]!), size(input[2]!)];
  const window = rows && columns ? (rows - layer.size[0] + 1) * (columns - layer.size[1] + 1) : undefined;
  if (window === undefined) tally.known = false;
  else count(tally, values(output), Math.max(window, 1));
  return output;
}

export function flattened(input: Shape): Shape {
  const rest = input.slice(1);
  const known = rest.map(size);
  if (known.every((n) => n !== undefined)) return [input[0]!, [known.reduce<number>((a, b) => a * b!, 1)]];
  return [input[0]!, rest.flat().filter((factor) => factor !== 1)];
}

export function selected(channels: readonly number[], input: Shape, here: string, layer: Layer): Shape {
  const given = size(input.at(-1)!);
  const beyond = channels.find((channel) => given !== undefined && channel >= given);
  if (beyond !== undefined) throw new LayerError(here, layer, `picks channel ${beyond} of ${given}`);
  return [...input.slice(0, -1), [channels.length]];
}
