import { composedKernels } from './composed/kernels.ts';
import type { FusedKernels } from './kernels.ts';
import { convOps } from './ops/conv.ts';
import { lossOps } from './ops/loss.ts';
import { normOps } from './ops/norm.ts';
import { poolOps } from './ops/pool.ts';
import { rowOps } from './ops/rows.ts';
import { noGrad } from './recording.ts';
import { scope } from './scope.ts';
import type { FusedOps } from './types.ts';

/** The fused operations over a backend's own kernels; the rest is composed. */
export function createOps(native: Partial<FusedKernels>): FusedOps {
  const kernels: FusedKernels = { ...composedKernels, ...native };
  return {
    noGrad,
    ...convOps(kernels),
    ...normOps(kernels),
    ...poolOps(kernels),
    ...lossOps,
    ...rowOps(kernels, noGrad),
    sgd(parameters, gradients, velocities, started, options) {
      parameters.forEach((p, i) => {
        for (const t of options.momentum === 0 ? [gradients[i]] : [gradients[i], velocities[i]]) {
          if (String(t.shape) !== String(p.shape)) throw new Error(`sgd of [${p.shape}] with [${t.shape}]`);
        }
      });
      scope(() => kernels.sgd(parameters, gradients, velocities, started, options));
    },
  };
}
