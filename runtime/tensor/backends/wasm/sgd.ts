/** SGD with LARC in one pass over each parameter, in place. */
import type { FusedKernels } from '../../kernels.ts';
import type { SgdOptions, Tensor } from '../../types.ts';
import type { Heap } from './heap.ts';

export function wasmSgd(heap: Heap): Pick<FusedKernels, 'sgd'> {
  return {
    sgd(parameters, gradients, velocities, started, options) {
      parameters.forEach((p, i) => {
        const velocity = options.momentum === 0 ? null : velocities[i];
        heap.own(p);
        if (velocity) heap.own(velocity);
        const { decay, scale } = rates(heap, p, gradients[i], options);
        heap.kernels.sgdStep(
          heap.at(p),
          heap.at(gradients[i]),
          velocity ? heap.at(velocity) : 0,
          p.size,
          options.lr,
          options.momentum,
          decay,
          scale,
          options.nesterov,
          started,
        );
      });
    },
  };
}

/** The gradient becomes scale · (g + decay · p); see composed/sgd.ts. */
function rates(
  heap: Heap,
  p: Tensor,
  g: Tensor,
  { lr, weightDecay, larc }: SgdOptions,
): { decay: number; scale: number } {
  if (!larc) return { decay: weightDecay, scale: 1 };
  const norm = Math.sqrt(heap.kernels.sumOfSquares(heap.at(p), p.size));
  const gradientNorm = Math.sqrt(heap.kernels.sumOfSquares(heap.at(g), g.size));
  if (norm === 0 || gradientNorm === 0) return { decay: 0, scale: 1 };
  const rate = (larc.trustCoefficient * norm) / (gradientNorm + weightDecay * norm + larc.eps);
  return { decay: weightDecay, scale: larc.clip ? Math.min(rate / lr, 1) : rate };
}
