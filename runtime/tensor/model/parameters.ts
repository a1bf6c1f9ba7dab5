/** The parameters and buffers of a model with their initial values, in state-dict order. No tensors here. */
import type { Conv2d, Init, Layer, Linear, ModelSpec } from '../../../graph/model/layers.ts';
import type { Random } from '../../random.ts';
import { fromTorch } from './layout.ts';

export interface InitialValue {
  /** state-dict name */
  readonly name: string;
  /** HWIO, [in, out], [C] or [] */
  readonly shape: readonly number[];
  readonly layer: Layer['op'];
  readonly kind: 'weight' | 'bias' | 'running_mean' | 'running_var' | 'num_batches_tracked';
  readonly trainable: boolean;
  values(random: Random): Float32Array;
}

export const join = (...names: (string | undefined)[]): string => names.filter(Boolean).join('.');

/** Each name once; a name that occurs again is the same parameter used again. */
export function modelParameters(spec: ModelSpec): Map<string, InitialValue> {
  const found = new Map<string, InitialValue>();
  const add = (layer: Layer, path: string): void => {
    for (const value of layerParameters(layer, path, spec.frozen !== true)) {
      if (!found.has(value.name)) found.set(value.name, value);
    }
  };
  for (const { name, layer } of spec.stages) add(layer, join(spec.prefix, name));
  for (const output of Object.values(spec.outputs).flat()) if (output.layer) add(output.layer, spec.prefix ?? '');
  return found;
}

function layerParameters(layer: Layer, path: string, trainable: boolean): InitialValue[] {
  const here = join(path, layer.name);
  const inner = (next: Layer) => layerParameters(next, here, trainable);
  const value = (
    kind: InitialValue['kind'],
    shape: readonly number[],
    values: (random: Random) => Float32Array,
    trained = trainable,
  ): InitialValue => ({ name: join(here, kind), shape, layer: layer.op, kind, trainable: trained, values });
  const constant = (kind: InitialValue['kind'], shape: readonly number[], number: number, trained?: boolean) =>
    value(kind, shape, () => new Float32Array(size(shape)).fill(number), trained);

  /** PyTorch's names for the length, fixed at 1, and the direction */
  const weightNormed = (shape: readonly number[], init: (random: Random) => Float32Array): InitialValue[] => [
    { ...constant('weight', [1, shape[1]], 1, false), name: join(here, 'weight_g') },
    { ...value('weight', shape, init), name: join(here, 'weight_v') },
  ];

  switch (layer.op) {
    case 'sequence':
      return layer.layers.flatMap(inner);
    case 'residual':
      return [...inner(layer.main), ...(layer.shortcut ? inner(layer.shortcut) : [])];
    case 'gate':
      return inner(layer.gate);
    case 'conv2d':
    case 'linear': {
      const trained = trainable && (layer.op === 'linear' || layer.trainable !== false);
      const shape = weightShape(layer);
      const init = (random: Random) => drawn(layer.init, shape, layer, random);
      const normed = layer.op === 'linear' && layer.weightNorm === true;
      const weight = normed ? weightNormed(shape, init) : [value('weight', shape, init, trained)];
      if (layer.bias === false) return weight;
      const biasInit = ('biasInit' in layer ? layer.biasInit : undefined) ?? pytorchBias(layer.init);
      return [...weight, value('bias', [layer.out], (random) => drawn(biasInit, [layer.out], layer, random), trained)];
    }
    case 'batch_norm': {
      const shape = [layer.features];
      const affine = [constant('weight', shape, layer.weight ?? 1), constant('bias', shape, 0)];
      return [
        ...(layer.affine === false ? [] : affine),
        constant('running_mean', shape, 0, false),
        constant('running_var', shape, 1, false),
        constant('num_batches_tracked', [], 0, false),
      ];
    }
    case 'layer_norm_2d':
      return [constant('weight', [layer.features], layer.weight ?? 1), constant('bias', [layer.features], 0)];
    case 'layer_norm':
      return [constant('weight', [layer.features], 1), constant('bias', [layer.features], 0)];
    case 'tokens': {
      const normal = (name: string, shape: readonly number[]): InitialValue => ({
        ...value('weight', shape, (random) => {
          const values = new Float32Array(size(shape));
          for (let i = 0; i < values.length; i++) values[i] = layer.std * random.normal();
          return values;
        }),
        name: join(here, name),
      });
      const count = layer.rows * layer.columns + (layer.classToken ? 1 : 0);
      const token = layer.classToken ? [normal('cls_token', [1, 1, layer.features])] : [];
      return [...token, normal('pos_embed', [1, count, layer.features])];
    }
    default:
      return [];
  }
}

const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

function weightShape(layer: Conv2d | Linear): readonly number[] {
  if (layer.op === 'linear') return [layer.in, layer.out];
  return [...layer.kernel, layer.in / (layer.groups ?? 1), layer.out];
}

/** A bias keeps PyTorch's default whatever the weight has; a scale of the layer holds for both. */
const pytorchBias = (init: Init | undefined): Init => (init?.kind === 'pytorch' ? init : { kind: 'pytorch' });

function drawn(
  init: Init = { kind: 'pytorch' },
  shape: readonly number[],
  layer: Conv2d | Linear,
  random: Random,
): Float32Array {
  const places = layer.op === 'conv2d' ? layer.kernel[0] * layer.kernel[1] : 1;
  const fanIn = (layer.in / ((layer.op === 'conv2d' && layer.groups) || 1)) * places;
  const fill = (draw: () => number) => {
    const values = new Float32Array(size(shape));
    for (let i = 0; i < values.length; i++) values[i] = draw();
    return values;
  };
  switch (init.kind) {
    case 'pytorch': {
      const bound = (init.scale ?? 1) / Math.sqrt(fanIn);
      return fill(() => random.uniform(-bound, bound));
    }
    case 'kaiming_normal': {
      // gain √2 (ReLU); He et al. 2015, arXiv:1502.01852
      const std = Math.sqrt(2 / (init.fan === 'in' ? fanIn : layer.out * places));
      return fill(() => std * random.normal());
    }
    case 'normal':
      return fill(() => init.std * random.normal());
    case 'constant':
      return fill(() => init.value);
    case 'values':
      return fromTorch(Float32Array.from(init.values), shape);
  }
}
