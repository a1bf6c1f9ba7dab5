/** Gradients of pooling by own kernels; the forward passes are tfjs's. */
import type { PoolGeometry } from '../../geometry.ts';
import type { FusedKernels } from '../../kernels.ts';
import type { Heap } from './heap.ts';

const sizes = ({ input, output, kernel, stride, padding }: PoolGeometry) =>
  [...input, output[1], output[2], ...kernel, ...stride, ...padding] as const;

export function wasmPool(heap: Heap): Pick<FusedKernels, 'maxPoolGrad' | 'sumPoolGrad'> {
  return {
    maxPoolGrad(dy, [x, y], g) {
      const dx = heap.zeros(g.input);
      heap.kernels.maxPoolGrad(heap.at(x), heap.at(y), heap.at(dy), heap.at(dx), ...sizes(g));
      return dx;
    },
    sumPoolGrad(dy, g) {
      const dx = heap.zeros(g.input);
      heap.kernels.sumPoolGrad(heap.at(dy), heap.at(dx), ...sizes(g));
      return dx;
    },
  };
}
