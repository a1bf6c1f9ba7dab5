/** Kernels that tfjs's wasm package lacks and training needs, and a matrix product that is fast when transposed. */
import * as tf from '@tensorflow/tfjs-core';
import type { ConvGeometry, PoolGeometry, Shape4 } from '../../geometry.ts';
import { parseEinsum } from '../../gradients/matrix.ts';
import type { Attributes } from '../../gradients/register.ts';
import type { FusedKernels } from '../../kernels.ts';
import { scope } from '../../scope.ts';
import type { Tensor } from '../../types.ts';

type Inputs = Record<string, Tensor>;
type Kernel = (inputs: Inputs, attributes: Attributes) => Tensor;

/** @param own convolution and the gradients of pooling by own kernels, also for tfjs's plain operations */
export function registerWasmKernels(own: Conv & PoolGrads): void {
  for (const [kernelName, kernel] of Object.entries({ ...convKernels(own), ...poolKernels(own), ...kernels })) {
    if (tf.getKernel(kernelName, 'wasm')) tf.unregisterKernel(kernelName, 'wasm');
    tf.registerKernel({
      kernelName,
      backendName: 'wasm',
      kernelFunc: ({ inputs, attrs }) => scope(() => kernel(inputs as Inputs, attrs as Attributes)),
    });
  }
  transposeBeforeMatMul();
  shareInsteadOfCopy();
}

type Conv = Pick<FusedKernels, 'conv2d' | 'conv2dInputGrad' | 'conv2dFilterGrad'>;

const convKernels = (conv: Conv): Record<string, Kernel> => ({
  Conv2DBackpropInput({ dy, filter }, attributes) {
    const { g, top, left } = explicitGeometry(attributes.inputShape, filter.shape, attributes);
    return unpad(conv.conv2dInputGrad(dy, filter, g), attributes.inputShape, top, left);
  },
  Conv2DBackpropFilter({ x, dy }, attributes) {
    const { padded, g } = explicit(x, attributes.filterShape, attributes);
    return conv.conv2dFilterGrad(padded, dy, g);
  },
  DepthwiseConv2dNativeBackpropFilter({ x, dy }, attributes) {
    const [kh, kw, c, m] = attributes.filterShape;
    const { padded, g } = explicit(x, attributes.filterShape, attributes, c);
    return tf.reshape(conv.conv2dFilterGrad(padded, dy, g), [kh, kw, c, m]);
  },
  DepthwiseConv2dNativeBackpropInput({ dy, filter }, attributes) {
    const [kh, kw, c, m] = filter.shape as number[];
    const { g, top, left } = explicitGeometry(attributes.inputShape, filter.shape, attributes, c);
    const whole = conv.conv2dInputGrad(dy, tf.reshape(filter, [kh, kw, 1, c * m]), g);
    return unpad(whole, attributes.inputShape, top, left);
  },
});

type PoolGrads = Pick<FusedKernels, 'maxPoolGrad' | 'sumPoolGrad'>;

/** tfjs's wasm package has both, but its gradient of the largest value is wrong and both are slow. */
const poolKernels = (pool: PoolGrads): Record<string, Kernel> => ({
  MaxPoolGrad: ({ dy, input, output }, attributes) =>
    pool.maxPoolGrad(dy, [input, output], poolGeometryOf(input.shape, attributes)),
  AvgPoolGrad({ dy, input }, attributes) {
    const g = poolGeometryOf(input.shape, attributes);
    return pool.sumPoolGrad(tf.mul(dy, 1 / (g.kernel[0] * g.kernel[1])), g);
  },
});

function poolGeometryOf(shape: number[], { filterSize, strides, pad, dimRoundingMode }: Attributes): PoolGeometry {
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

const unpad = (x: Tensor, shape: number[], top: number, left: number): Tensor => tf.slice(x, [0, top, left, 0], shape);

const kernels: Record<string, Kernel> = {
  UnsortedSegmentSum({ x, segmentIds }, { numSegments }) {
    const inner = x.shape.slice(segmentIds.shape.length);
    const ids = tf.reshape(segmentIds, [-1]);
    const rows = tf.reshape(x, [ids.size, -1]);
    // negative ids are left out: they go to a segment of their own, which is cut off
    const inside = tf.where(tf.less(ids, tf.scalar(0, 'int32')), tf.fill(ids.shape, numSegments, 'int32'), ids);
    const sums = tf.scatterND(tf.reshape(inside, [-1, 1]), rows, [numSegments + 1, rows.shape[1]!]);
    return tf.reshape(tf.slice(sums, [0, 0], [numSegments, -1]), [numSegments, ...inner]);
  },
  Einsum(inputs, { equation }) {
    const { operands, result } = parseEinsum(equation);
    const tensors = operands.map((_, i) => inputs[i]);
    return einsum(tensors, operands, result);
  },
};

/** Padding written out, so that the convolution itself has none. */
function explicit(x: Tensor, filter: Shape4, attributes: Attributes, channels?: number) {
  const { g, paddings } = explicitGeometry(x.shape as unknown as Shape4, filter, attributes, channels);
  return { padded: tf.pad(x, paddings), g };
}

function explicitGeometry(
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

/** Sum of products: every operand gets all letters as axes, then the letters that are not in the result are summed. */
function einsum(tensors: Tensor[], operands: string[], result: string): Tensor {
  const letters = [...new Set([...result, ...operands.join('')])];
  const spread = tensors.map((tensor, i) => {
    const order = letters.filter((letter) => operands[i].includes(letter));
    const moved = tf.transpose(
      tensor,
      order.map((letter) => operands[i].indexOf(letter)),
    );
    const sizes = new Map(order.map((letter, axis) => [letter, moved.shape[axis]]));
    return tf.reshape(
      moved,
      letters.map((letter) => sizes.get(letter) ?? 1),
    );
  });
  const product = spread.reduce((a, b) => tf.mul(a, b));
  const summed = letters.map((_, i) => i).slice(result.length);
  return tf.sum(product, summed);
}

/** tfjs's wasm product is XNNPACK's only where nothing is transposed, else a plain loop 20 times slower. */
function transposeBeforeMatMul(): void {
  override('BatchMatMul', (stock) => (call) => {
    const { transposeA, transposeB } = call.attrs as Attributes;
    if (!transposeA && !transposeB) return stock(call);
    return scope(() => {
      const swap = (t: Tensor): Tensor => {
        const axes = t.shape.map((_, i) => i);
        return tf.transpose(t, [...axes.slice(0, -2), axes.length - 1, axes.length - 2]);
      };
      const { a, b } = call.inputs as Inputs;
      return tf.matMul(transposeA ? swap(a) : a, transposeB ? swap(b) : b);
    });
  });
}

/** tfjs's wasm package copies the values of a clone, and so everything the tape saves; they can be shared. */
function shareInsteadOfCopy(): void {
  const share = ({ inputs, backend }: Parameters<tf.KernelFunc>[0]) => {
    const { dataId, shape, dtype } = inputs.x!;
    (backend as tf.KernelBackend).incRef(dataId);
    return { dataId, shape, dtype };
  };
  override('Identity', () => share);
  override('Cast', (stock) => (call) => (call.attrs?.dtype === call.inputs.x!.dtype ? share(call) : stock(call)));
}

/** Replace a kernel's function; what else its registration does (binding to the compiled code) stays. */
function override(kernelName: string, make: (stock: tf.KernelFunc) => tf.KernelFunc): void {
  const stock = tf.getKernel(kernelName, 'wasm');
  tf.unregisterKernel(kernelName, 'wasm');
  tf.registerKernel({ ...stock, kernelFunc: make(stock.kernelFunc) });
}
