/** Gradients of depthwise convolutions with one output per channel by an own kernel. */
import type { ConvGeometry } from '../../geometry.ts';
import type { Tensor } from '../../types.ts';
import type { Heap } from './heap.ts';

const sizes = ({ input, output, filter, stride, padding, dilation }: ConvGeometry) =>
  [...input, output[1], output[2], filter[0], filter[1], ...stride, ...padding, ...dilation] as const;

export function depthwiseInputGrad(heap: Heap, dy: Tensor, filter: Tensor, g: ConvGeometry): Tensor {
  const dx = heap.zeros(g.input);
  heap.kernels.depthwiseGrad(0, heap.at(filter), heap.at(dy), heap.at(dx), 0, ...sizes(g));
  return dx;
}

export function depthwiseFilterGrad(heap: Heap, x: Tensor, dy: Tensor, g: ConvGeometry): Tensor {
  const dw = heap.zeros(g.filter);
  heap.kernels.depthwiseGrad(heap.at(x), 0, heap.at(dy), 0, heap.at(dw), ...sizes(g));
  return dw;
}
