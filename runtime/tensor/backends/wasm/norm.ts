/** Batch normalisation and ReLU by own kernels: two or three passes over the maps, sums in float64. */
import { countBatch } from '../../composed/norm.ts';
import type { FusedKernels } from '../../kernels.ts';
import type { BatchNormState, Tensor } from '../../types.ts';
import type { Heap } from './heap.ts';

type Norm = Pick<FusedKernels, 'batchNormTrain' | 'batchNormEval' | 'batchNormGrad' | 'addRelu' | 'reluGrad'>;

const FLOAT = 4;
const DOUBLE = 8;

export function wasmNorm(heap: Heap): Norm {
  const sizes = (x: Tensor) => {
    const channels = x.shape.at(-1)!;
    return { channels, rows: x.size / channels };
  };

  /** y = scale · (x - mean) · invStd(spread) + offset, as one product and sum per value */
  const apply = (
    x: Tensor,
    scale: Tensor | null,
    offset: Tensor | null,
    mean: Tensor,
    spread: Tensor,
    invStd: (spread: number) => number,
    relu: boolean,
  ): Tensor => {
    const { channels, rows } = sizes(x);
    const y = heap.output(x.shape);
    const a = heap.scratch(2 * channels * FLOAT);
    const b = a + channels * FLOAT;
    const [factors, terms] = [heap.floats(a, channels), heap.floats(b, channels)];
    const [scales, offsets] = [scale && heap.values(scale), offset && heap.values(offset)];
    const [means, spreads] = [heap.values(mean), heap.values(spread)];
    for (let c = 0; c < channels; c++) {
      const factor = invStd(spreads[c]) * (scales ? scales[c] : 1);
      factors[c] = factor;
      terms[c] = (offsets ? offsets[c] : 0) - means[c] * factor;
    }
    heap.kernels.scaleRows(heap.at(x), rows, channels, a, b, relu, heap.at(y));
    return y;
  };

  return {
    batchNormTrain(x, scale, offset, state, { eps, momentum, relu }) {
      const { channels, rows } = sizes(x);
      const [mean, invStd] = [heap.output([channels]), heap.output([channels])];
      const sums = heap.scratch(channels * (DOUBLE + FLOAT));
      const variance = sums + channels * DOUBLE;
      heap.kernels.channelMeans(heap.at(x), rows, channels, heap.at(mean), sums);
      heap.kernels.channelVariances(heap.at(x), rows, channels, heap.at(mean), variance, sums);
      updateRunning(heap, state, mean, variance, rows, momentum);
      countBatch(state);
      const [variances, inverse] = [heap.floats(variance, channels), heap.values(invStd)];
      for (let c = 0; c < channels; c++) inverse[c] = 1 / Math.sqrt(variances[c] + eps);
      const y = apply(x, scale, offset, mean, invStd, (value) => value, relu);
      return { y, mean, invStd };
    },

    batchNormEval(x, scale, offset, mean, variance, { eps, relu }) {
      return apply(x, scale, offset, mean, variance, (value) => 1 / Math.sqrt(value + eps), relu);
    },

    batchNormGrad(dy, x, y, scale, _offset, mean, invStd) {
      const { channels, rows } = sizes(x);
      const dx = heap.output(x.shape);
      const [dScale, dOffset] = [heap.output([channels]), heap.output([channels])];
      const sums = heap.scratch(channels * (2 * DOUBLE + 3 * FLOAT));
      const factors = [0, 1, 2].map((i) => sums + channels * (2 * DOUBLE + i * FLOAT));
      const masked = y ? heap.at(y) : 0;
      heap.kernels.gradientSums(
        heap.at(dy),
        heap.at(x),
        masked,
        rows,
        channels,
        heap.at(mean),
        heap.at(dOffset),
        heap.at(dScale),
        sums,
      );
      // dx = a·(dy - Σdy/n - x̂·Σ(dy·x̂)/n) = a·dy + b·x + d
      const [a, b, d] = factors.map((at) => heap.floats(at, channels));
      const [means, inverse, scales] = [heap.values(mean), heap.values(invStd), scale && heap.values(scale)];
      const [slopes, totals] = [heap.values(dScale), heap.values(dOffset)];
      for (let c = 0; c < channels; c++) {
        slopes[c] *= inverse[c];
        const factor = inverse[c] * (scales ? scales[c] : 1);
        const slope = (-factor * inverse[c] * slopes[c]) / rows;
        a[c] = factor;
        b[c] = slope;
        d[c] = (-factor * totals[c]) / rows - slope * means[c];
      }
      heap.kernels.normGradRows(
        heap.at(dy),
        heap.at(x),
        masked,
        rows,
        channels,
        factors[0],
        factors[1],
        factors[2],
        heap.at(dx),
      );
      return { dx, dScale, dOffset };
    },

    addRelu(a, b) {
      const y = heap.output(a.shape);
      heap.kernels.addRelu(heap.at(a), heap.at(b), a.size, heap.at(y));
      return y;
    },

    reluGrad(dy, y) {
      const dx = heap.output(y.shape);
      heap.kernels.reluGrad(heap.at(dy), heap.at(y), y.size, heap.at(dx));
      return dx;
    },
  };
}

/** running = (1 - momentum)·running + momentum·batch, with the unbiased variance n / (n - 1). */
function updateRunning(
  heap: Heap,
  { runningMean, runningVar }: BatchNormState,
  mean: Tensor,
  variance: number,
  rows: number,
  momentum: number,
): void {
  heap.own(runningMean);
  heap.own(runningVar);
  const [means, variances] = [heap.values(runningMean), heap.values(runningVar)];
  const [batchMeans, batchVariances] = [heap.values(mean), heap.floats(variance, mean.size)];
  const unbiased = rows / (rows - 1);
  for (let c = 0; c < means.length; c++) {
    means[c] += momentum * (batchMeans[c] - means[c]);
    variances[c] += momentum * (batchVariances[c] * unbiased - variances[c]);
  }
}
