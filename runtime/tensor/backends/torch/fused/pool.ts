/** Pooling by PyTorch's rules. */
import type { PoolGeometry } from '../../../geometry.ts';
import type { FusedKernels } from '../../../kernels.ts';
import type { Handle } from '../../../native/addon.ts';
import { addon, aten, device, kernelScope, memoryFormat } from '../aten.ts';
import { imageOf } from './filters.ts';
import { image } from './tensor.ts';

const max = aten('max_pool2d_with_indices');
const maxBackward = aten('max_pool2d_with_indices_backward');
const average = aten('avg_pool2d');
const averageBackward = aten('avg_pool2d_backward');
const empty = aten('empty.memory_format');

const ONE = [1, 1];

/** The last window reaches past the padding only by PyTorch's ceil_mode. */
const isCeil = ({ padding, paddingAfter }: PoolGeometry): boolean =>
  paddingAfter.some((after, i) => after > padding[i]);

/** Memory of the input's shape without values: gradients read no more of it. */
const blankInput = ({ input: [n, height, width, c] }: PoolGeometry, dy: Handle): Handle =>
  empty([n, c, height, width], addon.scalarType(dy), undefined, device, undefined, memoryFormat.channelsLast);

export const poolKernels: Pick<FusedKernels, 'maxPool' | 'maxPoolGrad' | 'sumPool' | 'sumPoolGrad'> = {
  maxPool: (x, g) =>
    kernelScope(() => {
      const [y, indices] = max(imageOf(x), g.kernel, g.stride, g.padding, ONE, isCeil(g)) as [Handle, Handle];
      return { y: image(y, g.output), saved: [image(indices, g.output, 'int32')] };
    }),

  maxPoolGrad: (dy, [indices], g) =>
    kernelScope(() => {
      const gradient = imageOf(dy);
      const at = imageOf(indices);
      const dx = maxBackward(gradient, blankInput(g, gradient), g.kernel, g.stride, g.padding, ONE, isCeil(g), at);
      return image(dx, g.input);
    }),

  sumPool: (x, g) =>
    kernelScope(() => {
      const y = average(imageOf(x), g.kernel, g.stride, g.padding, isCeil(g), true, 1);
      return image(y, g.output);
    }),

  sumPoolGrad: (dy, g) =>
    kernelScope(() => {
      const gradient = imageOf(dy);
      const dx = averageBackward(gradient, blankInput(g, gradient), g.kernel, g.stride, g.padding, isCeil(g), true, 1);
      return image(dx, g.input);
    }),
};
