/** Convolution from tfjs kernels, for any backend: groups are split, gradients work with any stride and dilation. */
import * as tf from '@tensorflow/tfjs-core';
import type { ConvGeometry } from '../geometry.ts';
import type { FusedKernels } from '../kernels.ts';
import type { Pair, Tensor } from '../types.ts';

type Conv = Pick<FusedKernels, 'conv2d' | 'conv2dInputGrad' | 'conv2dFilterGrad'>;

export const composedConv: Conv = {
  conv2d(x, filter, bias, g) {
    const y = forward(x, filter, g);
    return bias ? tf.add(y, bias) : y;
  },

  conv2dInputGrad(dy, filter, g) {
    if (isDepthwise(g)) return depthwiseInputGrad(dy, filter, g);
    return byGroup(g, (one, part) => inputGrad(part(dy), part(filter), one), 3);
  },

  conv2dFilterGrad(x, dy, g) {
    if (isDepthwise(g)) return depthwiseFilterGrad(x, dy, g);
    return byGroup(g, (one, part) => filterGrad(part(x), part(dy), one), 3);
  },
};

export const isDepthwise = (g: ConvGeometry): boolean => g.groups > 1 && g.groups === g.input[3];

function forward(x: Tensor, filter: Tensor, g: ConvGeometry): Tensor {
  if (isDepthwise(g)) {
    const strided = g.stride.some((step) => step > 1);
    if (!strided || g.dilation.every((step) => step === 1)) {
      return depthwise(x, filter, g, g.stride, [g.padding, g.padding]);
    }
    // tfjs has depthwise kernels with a stride or with a dilation, not with both
    const dense = depthwise(x, filter, g, [1, 1], [g.padding, g.padding]);
    return tf.stridedSlice(dense, [0, 0, 0, 0], dense.shape, [1, ...g.stride, 1]);
  }
  return byGroup(g, (one, part) => correlate(part(x), part(filter), one.stride, [g.padding, g.padding], g.dilation), 3);
}

/** Run f per group on its share of the last axis and join the results. */
function byGroup(g: ConvGeometry, f: (one: ConvGeometry, part: (t: Tensor) => Tensor) => Tensor, axis: number): Tensor {
  if (g.groups === 1) return f(g, (t) => t);
  const share = (n: number) => n / g.groups;
  const [n, h, w, c] = g.input;
  const [kh, kw, ci, o] = g.filter;
  const one: ConvGeometry = {
    ...g,
    groups: 1,
    input: [n, h, w, share(c)],
    filter: [kh, kw, ci, share(o)],
    output: [g.output[0], g.output[1], g.output[2], share(o)],
  };
  const results = Array.from({ length: g.groups }, (_, i) =>
    f(one, (t) => tf.slice(t, [0, 0, 0, i * share(t.shape[3]!)], [-1, -1, -1, share(t.shape[3]!)])),
  );
  return tf.concat(results, axis);
}

/** [before, after] of rows and columns */
type Pads = readonly [Pair, Pair];

function correlate(x: Tensor, filter: Tensor, stride: Pair, [before, after]: Pads, dilation: Pair): Tensor {
  const pad = [[0, 0], [before[0], after[0]], [before[1], after[1]], [0, 0]]; // biome-ignore format: one row per axis
  return tf
    .engine()
    .runKernel('Conv2D', { x, filter }, { strides: [...stride], pad, dataFormat: 'NHWC', dilations: [...dilation] });
}

function inputGrad(dy: Tensor, filter: Tensor, g: ConvGeometry): Tensor {
  const turned = tf.transpose(tf.reverse(filter, [0, 1]), [0, 1, 3, 2]);
  const { spread, pads } = spreadOverInput(dy, g);
  return correlate(spread, turned, [1, 1], pads, g.dilation);
}

/**
 * dy with stride - 1 zeros between its places, and the padding with which a correlation by the turned filter, at stride
 * 1, gives one value per input place. Parts that would need negative padding are cut off.
 */
export function spreadOverInput(dy: Tensor, g: ConvGeometry): { spread: Tensor; pads: Pads } {
  let spread = dy;
  const before: [number, number] = [0, 0];
  const after: [number, number] = [0, 0];
  for (const axis of [0, 1] as const) {
    spread = dilateAxis(spread, axis + 1, g.stride[axis]);
    const reach = g.dilation[axis] * (g.filter[axis] - 1);
    const length = spread.shape[axis + 1]!;
    before[axis] = reach - g.padding[axis];
    after[axis] = g.input[axis + 1] - 1 + reach - before[axis] - (length - 1);
    const cutBefore = Math.max(-before[axis], 0);
    const cutAfter = Math.max(-after[axis], 0);
    if (cutBefore + cutAfter > 0) {
      const begin = spread.shape.map(() => 0);
      begin[axis + 1] = cutBefore;
      const size = spread.shape.slice();
      size[axis + 1] = length - cutBefore - cutAfter;
      spread = tf.slice(spread, begin, size);
      before[axis] += cutBefore;
      after[axis] += cutAfter;
    }
  }
  return { spread, pads: [before, after] };
}

/** Put step - 1 zeros between the places of one axis. */
function dilateAxis(x: Tensor, axis: number, step: number): Tensor {
  const length = x.shape[axis];
  if (step === 1 || length === 1) return x;
  const outer = tf.util.sizeFromShape(x.shape.slice(0, axis));
  const inner = tf.util.sizeFromShape(x.shape.slice(axis + 1));
  const places = tf.reshape(x, [outer, length, 1, inner]); // four axes: not every backend pads more
  const gaps: [number, number] = [0, step - 1];
  const padded = tf.pad(places, [[0, 0], [0, 0], gaps, [0, 0]]); // biome-ignore format: one row
  const spread = tf.reshape(padded, [outer, length * step, inner]);
  const size = x.shape.slice();
  size[axis] = (length - 1) * step + 1;
  return tf.reshape(tf.slice(spread, [0, 0, 0], [outer, size[axis], inner]), size);
}

/** One product per filter place: inputᵀ at that place · dy. */
function filterGrad(x: Tensor, dy: Tensor, g: ConvGeometry): Tensor {
  const [kh, kw, ci, o] = g.filter;
  const flat = tf.reshape(dy, [-1, o]) as tf.Tensor2D;
  const places = inputPlaces(x, g).map((place) =>
    tf.matMul(tf.transpose(tf.reshape(place, [-1, ci])) as tf.Tensor2D, flat),
  );
  return tf.reshape(tf.stack(places), [kh, kw, ci, o]);
}

/** For each filter place, row by row: the inputs [N, H', W', C] that it meets. */
function inputPlaces(x: Tensor, g: ConvGeometry): Tensor[] {
  const [kh, kw] = g.filter;
  const [n, oh, ow] = g.output;
  const c = x.shape[3]!;
  const span = [0, 1].map((axis) => (g.output[axis + 1] - 1) * g.stride[axis] + 1);
  const paddings = [0, 1].map((axis): [number, number] => {
    const need = span[axis] + g.dilation[axis] * (g.filter[axis] - 1);
    return [g.padding[axis], Math.max(need - g.input[axis + 1] - g.padding[axis], 0)];
  });
  const padded = tf.pad(x, [[0, 0], ...paddings, [0, 0]]);
  const places: Tensor[] = [];
  for (let i = 0; i < kh; i++) {
    for (let j = 0; j < kw; j++) {
      const begin = [0, i * g.dilation[0], j * g.dilation[1], 0];
      const end = [n, begin[1] + span[0], begin[2] + span[1], c];
      const place = tf.stridedSlice(padded, begin, end, [1, g.stride[0], g.stride[1], 1]);
      places.push(tf.reshape(place, [n, oh, ow, c]));
    }
  }
  return places;
}

/** filter [kh, kw, 1, C·m] → tfjs's [kh, kw, C, m] */
const depthwiseFilter = (filter: Tensor, g: ConvGeometry): Tensor =>
  tf.reshape(filter, [g.filter[0], g.filter[1], g.groups, g.filter[3] / g.groups]);

function depthwise(x: Tensor, filter: Tensor, g: ConvGeometry, stride: Pair, [before, after]: Pads): Tensor {
  const pad = [[0, 0], [before[0], after[0]], [before[1], after[1]], [0, 0]]; // biome-ignore format: one row per axis
  return tf
    .engine()
    .runKernel(
      'DepthwiseConv2dNative',
      { x, filter: depthwiseFilter(filter, g) },
      { strides: [...stride], pad, dataFormat: 'NHWC', dilations: [...g.dilation] },
    );
}

/** The m outputs of each channel one after another: [..., C·m] → m × [..., C] */
function multiples(t: Tensor, g: ConvGeometry): Tensor[] {
  const m = g.filter[3] / g.groups;
  if (m === 1) return [t];
  return tf.unstack(tf.reshape(t, [...t.shape.slice(0, -1), g.groups, m]), -1);
}

function depthwiseInputGrad(dy: Tensor, filter: Tensor, g: ConvGeometry): Tensor {
  const filters = multiples(tf.reverse(filter, [0, 1]), g);
  const one: ConvGeometry = { ...g, filter: [g.filter[0], g.filter[1], 1, g.groups] };
  const parts = multiples(dy, g).map((part, i) => {
    const { spread, pads } = spreadOverInput(part, g);
    return depthwise(spread, filters[i], one, [1, 1], pads);
  });
  return parts.length === 1 ? parts[0] : tf.addN(parts);
}

function depthwiseFilterGrad(x: Tensor, dy: Tensor, g: ConvGeometry): Tensor {
  const [kh, kw, , o] = g.filter;
  const parts = multiples(dy, g);
  const places = inputPlaces(x, g).map((place) =>
    tf.stack(
      parts.map((part) => tf.sum(tf.mul(place, part), [0, 1, 2])),
      -1,
    ),
  );
  return tf.reshape(tf.stack(places), [kh, kw, 1, o]);
}
