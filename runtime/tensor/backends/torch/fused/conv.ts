/** Convolution and its gradients by PyTorch's rules; groups and dilation are libtorch's own. */
import type { ConvGeometry } from '../../../geometry.ts';
import type { FusedKernels } from '../../../kernels.ts';
import type { Handle } from '../../../native/addon.ts';
import { addon, aten, device, kernelScope, memoryFormat, ownOperator, scalarType } from '../aten.ts';
import { cast, h } from '../data.ts';
import { low, lowScalarType } from '../precision.ts';
import { clearUnmet } from '../unmet.ts';
import { imageOf, lowFilterOf } from './filters.ts';
import { filter as filterResult, image } from './tensor.ts';

const convolution = aten('convolution');
const backward = aten('convolution_backward');
const empty = aten('empty.memory_format');
const pointwise = ownOperator('pointwise');
const pointwiseInputGradient = ownOperator('pointwise_input_gradient');
const pointwiseFilterGradient = ownOperator('pointwise_filter_gradient');
const hasMkl = device === 'cpu' && (ownOperator('has_mkl')() as unknown as boolean);

/** One matrix product does it, and is the quicker way. */
const isProduct = ({ filter: [kh, kw], stride, padding, groups }: ConvGeometry): boolean =>
  hasMkl && kh === 1 && kw === 1 && groups === 1 && [...stride, ...padding].every((n, i) => n === (i < 2 ? 1 : 0));

const ZERO = [0, 0];
const INPUT = [true, false, false];
const FILTER = [false, true, false];

/** Memory without values: a gradient reads only the shape and the order of what it is the gradient of. */
const blank = (shape: readonly number[]): Handle =>
  empty(shape, lowScalarType(), undefined, device, undefined, memoryFormat.channelsLast);

export const convKernels: Pick<FusedKernels, 'conv2d' | 'conv2dInputGrad' | 'conv2dFilterGrad'> = {
  conv2d: (x, filter, bias, g) =>
    kernelScope(() => {
      const w = lowFilterOf(filter);
      const b = bias ? cast(h(bias), addon.scalarType(w)) : null;
      if (isProduct(g)) return image(pointwise(low(imageOf(x)), w, b), g.output);
      const { stride, padding, dilation, groups } = g;
      const y = convolution(low(imageOf(x)), w, b, stride, padding, dilation, false, ZERO, groups);
      return image(y, g.output);
    }),

  conv2dInputGrad: (dy, filter, g, x) =>
    kernelScope(() => {
      if (isProduct(g)) return image(pointwiseInputGradient(low(imageOf(dy)), lowFilterOf(filter)), g.input);
      const [n, height, width, c] = g.input;
      const given = x && imageOf(x);
      const fits = given !== undefined && addon.scalarType(given) === lowScalarType();
      const input = fits ? given : blank([n, c, height, width]);
      const [dx] = gradients(low(imageOf(dy)), input, lowFilterOf(filter), g, INPUT);
      return image(dx!, g.input);
    }),

  conv2dFilterGrad: (x, dy, g, filter) =>
    kernelScope(() => {
      const [kh, kw, c, o] = g.filter;
      const input = low(imageOf(x));
      if (isProduct(g)) {
        const dw = pointwiseFilterGradient(low(imageOf(dy)), input);
        return filterResult(cast(dw, scalarType.float32), g.filter);
      }
      const w = filter ? lowFilterOf(filter) : blank([o, c, kh, kw]);
      const output = low(imageOf(dy));
      const [, dw] = gradients(output, input, w, g, FILTER);
      if (lowScalarType() !== scalarType.float32) clearUnmet(dw!, input, output, g);
      return filterResult(cast(dw!, scalarType.float32), g.filter);
    }),
};

function gradients(dy: Handle, x: Handle, w: Handle, g: ConvGeometry, mask: boolean[]): (Handle | null)[] {
  const { stride, padding, dilation, groups } = g;
  return backward(dy, x, w, null, stride, padding, dilation, false, ZERO, groups, mask);
}
