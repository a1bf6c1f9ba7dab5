/** Output sizes of layers that slide a window over rows and columns, and what their windows must satisfy. */
import { size } from '../dim.ts';
import type { Dim, Shape } from '../port.ts';
import type { Layer, Pair, Pool } from './layers.ts';
import { LayerError } from './tally.ts';

export interface Window {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
  readonly dilation: Pair;
  readonly ceil: boolean;
}

/** Layers' defaults: no padding, no dilation; the stride of pooling is its kernel, that of a convolution 1. */
export function windowOf(layer: Omit<Pool, 'op'> & { dilation?: Pair; op: string }): Window {
  return {
    kernel: layer.kernel,
    stride: layer.stride ?? (layer.op === 'conv2d' ? [1, 1] : layer.kernel),
    padding: layer.padding ?? [0, 0],
    dilation: layer.dilation ?? [1, 1],
    ceil: layer.ceil ?? false,
  };
}

/** A map behind a sliding window, with as many channels as said, else its own. */
export function slide(window: Window, layer: Layer, here: string, input: Shape, channels?: number): Shape {
  const spatial = ([1, 2] as const).map((position): Dim => {
    const n = size(input[position]!);
    if (n === undefined) return [`${here || layer.op}.${position === 1 ? 'rows' : 'columns'}`];
    const out = slid(n, window, position === 1 ? 0 : 1);
    if (out >= 1) return [out];
    const map = `${input.slice(1, 3).map(size).join('×')}`;
    throw new LayerError(here, layer, `has a ${window.kernel.join('×')} window that does not fit in a ${map} map`);
  });
  return [input[0]!, ...spatial, channels === undefined ? input[3]! : [channels]];
}

/** PyTorch's rule along one axis (0 rows, 1 columns): ⌊(n + 2p - d(k - 1) - 1) / s⌋ + 1; below 1 when the window does not fit. */
function slid(n: number, window: Window, axis: 0 | 1): number {
  const [stride, padding] = [window.stride[axis], window.padding[axis]];
  const room = n + 2 * padding - window.dilation[axis] * (window.kernel[axis] - 1) - 1;
  if (!window.ceil) return Math.floor(room / stride) + 1;
  const out = Math.ceil(room / stride) + 1;
  return (out - 1) * stride >= n + padding ? out - 1 : out; // the last window must begin inside the map or its left padding
}
