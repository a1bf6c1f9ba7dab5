/** Kernels that training needs and tfjs's wasm package lacks or has wrong. */
import * as tf from '@tensorflow/tfjs-core';
import type { ConvGeometry } from '../../geometry.ts';
import { parseEinsum } from '../../gradients/matrix.ts';
import type { Attributes } from '../../gradients/register.ts';
import type { FusedKernels } from '../../kernels.ts';
import { scope } from '../../scope.ts';
import type { Tensor } from '../../types.ts';
import { explicit, explicitGeometry, poolGeometryOf } from '../attributes.ts';

type Inputs = Record<string, Tensor>;
type Kernel = (inputs: Inputs, attributes: Attributes) => Tensor;

/**
 * @param own convolution and the gradients of pooling by own kernels, also for tfjs's plain operations
 * @param attach called with the tfjs backend whenever it is chosen
 */
export function registerWasmKernels(own: Conv & PoolGrads, attach: (backend: object) => void): void {
  for (const [kernelName, kernel] of Object.entries({ ...convKernels(own), ...poolKernels(own), ...kernels })) {
    if (tf.getKernel(kernelName, 'wasm')) tf.unregisterKernel(kernelName, 'wasm');
    tf.registerKernel({
      kernelName,
      backendName: 'wasm',
      setupFunc: attach,
      kernelFunc: ({ inputs, attrs }) => scope(() => kernel(inputs as Inputs, attrs as Attributes)),
    });
  }
}

type Conv = Pick<FusedKernels, 'conv2d' | 'conv2dInputGrad' | 'conv2dFilterGrad'>;

const convKernels = (conv: Conv): Record<string, Kernel> => ({
  Conv2DBackpropInput({ dy, filter }, attributes) {
    const { g, top, left } = explicitGeometry(attributes.inputShape, filter.shape, attributes);
    requireOutput(dy, g);
    return unpad(conv.conv2dInputGrad(dy, filter, g), attributes.inputShape, top, left);
  },
  Conv2DBackpropFilter({ x, dy }, attributes) {
    const { padded, g } = explicit(x, attributes.filterShape, attributes);
    requireOutput(dy, g);
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

/** The kernels trust shapes: nothing may be read behind a tensor. */
function requireOutput(dy: Tensor, { input, filter, output }: ConvGeometry): void {
  if (tf.util.arraysEqual(dy.shape, [...output])) return;
  throw new Error(`the gradient of a convolution of [${input}] by [${filter}] is [${output}], not [${dy.shape}]`);
}

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
    const tensors = Object.values(inputs);
    const { allDims, idDims } = tf.backend_util.decodeEinsumEquation(equation, tensors.length);
    tf.backend_util.checkEinsumDimSizes(allDims.length, idDims, tensors);
    return einsum(tensors, operands, result);
  },
};

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
