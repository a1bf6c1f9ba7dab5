/** Resizing by tfjs's three rules for where a pixel lies, local response normalisation, inference batch norm. */
import * as tf from '@tensorflow/tfjs-core';
import type { Handle } from '../../../native/addon.ts';
import { aten, device, scalarType, upload } from '../aten.ts';
import { cast, exact, h, result } from '../data.ts';
import type { Attributes, Kernels } from '../register.ts';

const indexSelect = aten('index_select');
const indexAdd = aten('index_add_');
const zeros = aten('zeros');
const add = aten('add.Tensor');
const addScalar = aten('add.Scalar');
const sub = aten('sub.Tensor');
const mul = aten('mul.Tensor');
const mulScalar = aten('mul.Scalar');
const div = aten('div.Tensor');
const pow = aten('pow.Tensor_Scalar');
const pad = aten('constant_pad_nd');
const slice = aten('slice.Tensor');
const rsqrt = aten('rsqrt');

/** Where the places of one output axis lie in the input: two neighbours and the share of the second. */
interface Places {
  readonly lower: number[];
  readonly upper: number[];
  readonly share: number[];
}

const ratio = (from: number, to: number, align: boolean): number =>
  align && to > 1 ? (from - 1) / (to - 1) : from / to;

function bilinear(from: number, to: number, { alignCorners = false, halfPixelCenters = false }: Attributes): Places {
  const step = ratio(from, to, alignCorners);
  const at = Array.from({ length: to }, (_, i) => (halfPixelCenters ? step * (i + 0.5) - 0.5 : step * i));
  const lower = at.map((place) => Math.max(0, Math.floor(place)));
  return {
    lower,
    upper: at.map((place) => Math.min(from - 1, Math.ceil(place))),
    share: at.map((place, i) => place - lower[i]),
  };
}

function nearest(from: number, to: number, { alignCorners = false, halfPixelCenters = false }: Attributes): number[] {
  const step = ratio(from, to, alignCorners);
  return Array.from({ length: to }, (_, i) => {
    const at = step * (halfPixelCenters ? i + 0.5 : i);
    return Math.max(0, Math.min(from - 1, alignCorners ? Math.round(at) : Math.floor(at)));
  });
}

const indices = (places: number[]): Handle => upload(Int32Array.from(places), [places.length], scalarType.int32);
const shares = (values: number[], axis: number): Handle =>
  upload(Float32Array.from(values), axis === 1 ? [values.length, 1, 1] : [values.length, 1], scalarType.float32);

function blend(x: Handle, axis: number, { lower, upper, share }: Places): Handle {
  const first = indexSelect(x, axis, indices(lower));
  return add(first, mul(sub(indexSelect(x, axis, indices(upper)), first), shares(share, axis)));
}

/** The transpose of `blend`: what each output place got goes back to its two neighbours. */
function unblend(dy: Handle, axis: number, shape: number[], { lower, upper, share }: Places): Handle {
  const dx = zeros(shape, scalarType.float32, undefined, device);
  const toUpper = mul(dy, shares(share, axis));
  indexAdd(dx, axis, indices(lower), sub(dy, toUpper));
  indexAdd(dx, axis, indices(upper), toUpper);
  return dx;
}

/** Sum over the channels within `radius` of each. */
function aroundChannel(x: Handle, channels: number, radius: number): Handle {
  const wide = pad(x, [radius, radius]);
  let total = slice(wide, -1, 0, channels);
  for (let i = 1; i <= 2 * radius; i++) total = add(total, slice(wide, -1, i, i + channels));
  return total;
}

/** bias + alpha · Σ x² */
const lrnNorm = (x: Handle, channels: number, { depthRadius, alpha, bias }: Attributes): Handle =>
  addScalar(mulScalar(aroundChannel(mul(x, x), channels, depthRadius), alpha), bias);

export const imageKernels: Kernels = {
  ResizeBilinear: ({ images }, attributes) => {
    const [, height, width] = images.shape;
    const [newHeight, newWidth] = attributes.size;
    const x = cast(exact(images), scalarType.float32);
    const rows = blend(x, 1, bilinear(height, newHeight, attributes));
    return result(blend(rows, 2, bilinear(width, newWidth, attributes)), 'float32');
  },
  ResizeBilinearGrad: ({ images, dy }, attributes) => {
    const [n, height, width, c] = images.shape;
    const [, newHeight, newWidth] = dy.shape;
    const columns = unblend(exact(dy), 2, [n, newHeight, width, c], bilinear(width, newWidth, attributes));
    return result(unblend(columns, 1, images.shape, bilinear(height, newHeight, attributes)), 'float32');
  },
  ResizeNearestNeighbor: ({ images }, attributes) => {
    const [, height, width] = images.shape;
    const rows = indexSelect(h(images), 1, indices(nearest(height, attributes.size[0], attributes)));
    return result(indexSelect(rows, 2, indices(nearest(width, attributes.size[1], attributes))), images.dtype);
  },
  ResizeNearestNeighborGrad: ({ images, dy }, attributes) => {
    const [n, height, width, c] = images.shape;
    const [, newHeight, newWidth] = dy.shape;
    const columns = zeros([n, newHeight, width, c], scalarType.float32, undefined, device);
    indexAdd(columns, 2, indices(nearest(width, newWidth, attributes)), exact(dy));
    const dx = zeros(images.shape, scalarType.float32, undefined, device);
    indexAdd(dx, 1, indices(nearest(height, newHeight, attributes)), columns);
    return result(dx, 'float32');
  },
  LRN: ({ x }, attributes) => {
    const norm = lrnNorm(exact(x), x.shape[3], attributes);
    return result(mul(exact(x), pow(norm, -attributes.beta)), x.dtype, x.shape);
  },
  LRNGrad: ({ x, y, dy }, attributes) => {
    const { depthRadius, alpha, beta } = attributes;
    const channels = x.shape[3];
    const norm = lrnNorm(exact(x), channels, attributes);
    const spread = aroundChannel(div(mul(exact(dy), exact(y)), norm), channels, depthRadius);
    const shared = mulScalar(mul(exact(x), spread), -2 * alpha * beta);
    return result(add(mul(exact(dy), pow(norm, -beta)), shared), 'float32', x.shape);
  },
  FusedBatchNorm: ({ x, scale, offset, mean, variance }, { varianceEpsilon = 1e-3 }) => {
    const ranks = [mean, variance, scale, offset].filter((tensor) => tensor).map((tensor) => tensor.shape.length);
    tf.util.assert(
      new Set(ranks).size === 1,
      () => 'Batch normalization requires mean, variance, scale and offset of equal ranks',
    );
    const factor = rsqrt(addScalar(exact(variance), varianceEpsilon));
    const normal = mul(sub(exact(x), exact(mean)), scale ? mul(factor, exact(scale)) : factor);
    return result(offset ? add(normal, exact(offset)) : normal, x.dtype, x.shape);
  },
};
