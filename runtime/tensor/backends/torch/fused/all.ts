import type { FusedKernels } from '../../../kernels.ts';
import { convKernels } from './conv.ts';
import { normKernels } from './norm.ts';
import { poolKernels } from './pool.ts';
import { rowKernels } from './rows.ts';
import { sgdKernels } from './sgd.ts';

/** Every fused kernel, native. */
export const fusedKernels: FusedKernels = {
  ...convKernels,
  ...normKernels,
  ...poolKernels,
  ...rowKernels,
  ...sgdKernels,
};
