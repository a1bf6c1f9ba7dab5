/** What a walk over layers gathers, and the conditions that layers put on what they are given. */
import { formatShape, size } from '../dim.ts';
import type { Shape } from '../port.ts';
import type { Layer } from './layers.ts';

export interface ParameterSummary {
  /** state-dict name */
  readonly name: string;
  /** as stored: HWIO, [in, out] */
  readonly shape: readonly number[];
  /** as PyTorch stores it: OIHW, [out, in] */
  readonly torchShape: readonly number[];
  readonly layer: Layer['op'];
  readonly kind: 'weight' | 'bias';
  readonly trainable: boolean;
}

export interface BufferSummary {
  readonly name: string;
  readonly shape: readonly number[];
  readonly layer: Layer['op'];
  readonly kind: 'running_mean' | 'running_var' | 'num_batches_tracked';
}

/** What a walk gathers; costs are those of one image. */
export interface Tally {
  readonly parameters: ParameterSummary[];
  readonly buffers: BufferSummary[];
  flops: number;
  activations: number;
  /** false when a size is not known before the run, so that the costs are not either */
  known: boolean;
}

/** A layer that cannot take what the one before it gives. */
export class LayerError extends Error {
  readonly path: string;
  constructor(path: string, layer: Layer, message: string) {
    super(`${layer.op}${path ? ` "${path}"` : ''} ${message}`);
    this.path = path;
  }
}

/** Whether parameters of the layers walked are trained. */
export interface WalkOptions {
  readonly trainable: boolean;
}

export function join(path: string, name: string | undefined): string {
  if (!name) return path;
  return path ? `${path}.${name}` : name;
}

/** Values of one image: the first dimension counts images. */
export function values(shape: Shape): number | undefined {
  let product = 1;
  for (const dim of shape.slice(1)) {
    const n = size(dim);
    if (n === undefined) return undefined;
    product *= n;
  }
  return product;
}

export function count(tally: Tally, amount: number | undefined, times = 1): void {
  if (amount === undefined) tally.known = false;
  else tally.flops += amount * times;
}

export function requireMap(input: Shape, here: string, layer: Layer): void {
  if (input.length === 4) return;
  throw new LayerError(here, layer, `needs a map [N, rows, columns, channels], not ${formatShape(input)}`);
}

export function requireChannels(wanted: number, input: Shape, here: string, layer: Layer): void {
  if (input.length < 2) throw new LayerError(here, layer, `needs [N, …, ${wanted}], not ${formatShape(input)}`);
  const given = size(input.at(-1)!);
  if (given === undefined || given === wanted) return;
  const what = input.length === 4 ? 'channels' : 'features';
  throw new LayerError(here, layer, `takes ${wanted} ${what} but is given ${given}`);
}

export function requireSame(main: Shape, shortcut: Shape, here: string, layer: Layer): void {
  const same = main.length === shortcut.length && main.every((dim, i) => size(dim) === size(shortcut[i]!));
  if (same || [...main, ...shortcut].some((dim) => size(dim) === undefined)) return;
  throw new LayerError(here, layer, `adds a branch of ${formatShape(main)} to a shortcut of ${formatShape(shortcut)}`);
}
