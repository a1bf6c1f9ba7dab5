/** SGD with LARC over lists of tensors, a few calls for a whole model. You, Gitman and Ginsburg 2017, arXiv:1708.03888. */
import type { FusedKernels } from '../../../kernels.ts';
import type { Handle } from '../../../native/addon.ts';
import type { SgdOptions, Tensor, Variable } from '../../../types.ts';
import { addon, aten, findAten, keep, kernelScope, memoryFormat, scalarType } from '../aten.ts';
import { cast, exact } from '../data.ts';
import { filterOf } from './filters.ts';
import { writable } from './tensor.ts';

const scale = aten('_foreach_mul_.Scalar');
const scaleEach = aten('_foreach_mul_.ScalarList');
const accumulate = aten('_foreach_add_.List');
const sum = aten('_foreach_add.List');
const clear = aten('_foreach_zero_');
const norms = aten('_foreach_norm.Scalar');
const stack = aten('stack');
const contiguous = aten('contiguous');

/** One pass over memory instead of four; libtorch 2.4 and newer. It reads its lists as plain rows of numbers. */
const fused = findAten('_fused_sgd_');

export const sgdKernels: Pick<FusedKernels, 'sgd'> = {
  sgd: (parameters, gradients, velocities, started, options) =>
    kernelScope(() => {
      if (parameters.length === 0) return;
      const { lr, momentum, nesterov, larc } = options;
      const p = parameters.map(ordered);
      let g = gradients.map(inOrder);
      let decay = options.weightDecay;
      if (larc) {
        g = withLarc(p, g, options, larc);
        decay = 0; // in g already
      }
      const v = momentum === 0 ? [] : velocities.map(ordered);
      if (fused) fused(p, g, v, decay, momentum, lr, 0, nesterov, false, !started);
      else inPasses(p, g, v, started, { ...options, weightDecay: decay });
    }),
};

function inPasses(p: Handle[], g: Handle[], v: Handle[], started: boolean, options: SgdOptions): void {
  const { lr, momentum, weightDecay: decay, nesterov } = options;
  if (v.length > 0) {
    if (started) scale(v, momentum);
    else clear(v);
    accumulate(v, g, 1);
    if (decay !== 0) accumulate(v, p, decay);
    if (!nesterov) {
      accumulate(p, v, -lr);
      return;
    }
  }
  // p - lr · (g + decay · p + momentum · v)
  if (decay !== 0) scale(p, 1 - lr * decay);
  accumulate(p, g, -lr);
  if (v.length > 0) accumulate(p, v, -lr * momentum);
}

/** Parameters and velocities lie in memory as gradients come: filters as convolutions read them, the rest row by row. */
function ordered(variable: Variable): Handle {
  const data = writable(variable);
  if (variable.shape.length === 4) return filterOf(variable);
  if (!addon.isContiguous(data.handle, memoryFormat.contiguous)) data.replace(keep(contiguous(data.handle)));
  return data.handle;
}

const inOrder = (gradient: Tensor): Handle =>
  gradient.shape.length === 4 ? cast(filterOf(gradient), scalarType.float32) : contiguous(exact(gradient));

/** The gradients with weight decay and each layer's own rate; a zero norm leaves a gradient as it is, as Apex does. */
function withLarc(
  p: Handle[],
  g: Handle[],
  { lr, weightDecay }: SgdOptions,
  larc: NonNullable<SgdOptions['larc']>,
): Handle[] {
  const decayed = sum(g, p, weightDecay) as Handle[];
  const [pNorms, gNorms] = [readNorms(p), readNorms(g)];
  const active = pNorms.map((norm, i) => norm > 0 && gNorms[i] > 0);
  const rates = p.map((_, i) => {
    if (!active[i]) return 1;
    const rate = (larc.trustCoefficient * pNorms[i]) / (gNorms[i] + pNorms[i] * weightDecay + larc.eps);
    return larc.clip ? Math.min(rate / lr, 1) : rate;
  });
  scaleEach(decayed, rates);
  return decayed.map((scaled, i) => (active[i] ? scaled : g[i]));
}

function readNorms(tensors: Handle[]): number[] {
  const values = new Float32Array(tensors.length);
  addon.readInto(stack(norms(tensors, 2)), values);
  return [...values];
}
