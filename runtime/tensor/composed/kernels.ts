import type { FusedKernels } from '../kernels.ts';
import { composedConv } from './conv.ts';
import { composedNorm } from './norm.ts';
import { composedPool } from './pool.ts';
import { composedRows } from './rows.ts';
import { composedSgd } from './sgd.ts';

/** Every fused kernel, from tfjs operations that all backends have. */
export const composedKernels: FusedKernels = {
  ...composedConv,
  ...composedNorm,
  ...composedPool,
  ...composedSgd,
  ...composedRows,
};
