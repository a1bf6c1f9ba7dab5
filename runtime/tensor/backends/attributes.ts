/** The attributes of tfjs's convolution and pooling kernels → geometries. */
import * as tf from '@tensorflow/tfjs-core';
import type { ConvGeometry, PoolGeometry, Shape4 } from '../geometry.ts';
import type { Attributes } from '../gradients/register.ts';
import type { Tensor } from '../types.ts';

/** Padding written out, so that the convolution itself has none. */
export function explicit(x: Tensor, filter: Shape4, attributes: Attributes, channels?: number) {
  const { g, paddings } = explicitGeometry(x.shape as unknown as Shape4, filter, attributes, channels);
  return { padded: tf.pad(x, paddings), g };
}

export function explicitGeometry(
  shape: Shape4,
  filterShape: readonly number[],
  { strides, dilations, pad, dimRoundingMode }: Attributes,
  depthwiseChannels?: number,
) {
  const info = tf.backend_util.computeConv2DInfo(
    [...shape],
    filterShape as [number, number, number, number],
    strides,
    dilations ?? 1,
    pad,
    dimRoundingMode,
    depthwiseChannels !== undefined,
  );
  const { top, bottom, left, right } = info.padInfo;
  const [kh, kw, ci, o] = filterShape;
  const g: ConvGeometry = {
    input: [shape[0], shape[1] + top + bottom, shape[2] + left + right, shape[3]],
    filter: depthwiseChannels === undefined ? [kh, kw, ci, o] : [kh, kw, 1, ci * o],
    output: info.outShape as unknown as Shape4,
    stride: [info.strideHeight, info.strideWidth],
    padding: [0, 0],
    dilation: [info.dilationHeight, info.dilationWidth],
    groups: depthwiseChannels ?? 1,
  };
  const paddings: [number, number][] = [[0, 0], [top, bottom], [left, right], [0, 0]]; // biome-ignore format: one row per axis
  return { g, paddings, top, left };
}

export function poolGeometryOf(
  shape: number[],
  { filterSize, strides, pad, dimRoundingMode }: Attributes,
): PoolGeometry {
  const input = shape as unknown as [number, number, number, number];
  const info = tf.backend_util.computePool2DInfo(input, filterSize, strides, 1, pad, dimRoundingMode);
  const { top, left, bottom, right } = info.padInfo;
  return {
    input,
    output: info.outShape as unknown as Shape4,
    kernel: [info.filterHeight, info.filterWidth],
    stride: [info.strideHeight, info.strideWidth],
    padding: [top, left],
    paddingAfter: [bottom, right],
  };
}
