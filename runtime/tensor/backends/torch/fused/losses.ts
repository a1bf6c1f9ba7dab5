/** Operations on logits, and the normalisation of whole maps, each one pass of libtorch instead of several of tfjs. */
import { differentiable } from '../../../differentiable.ts';
import type { Handle } from '../../../native/addon.ts';
import { lossOps } from '../../../ops/loss.ts';
import type { FusedOps, Tensor } from '../../../types.ts';
import { aten, device, kernelScope, scalarType, version } from '../aten.ts';
import { cast, exact, h } from '../data.ts';
import { imageOf } from './filters.ts';
import { image, tensor } from './tensor.ts';

const logSoftmax = aten('_log_softmax');
const logSoftmaxBackward = aten('_log_softmax_backward_data');
const likelihood = aten('nll_loss_forward');
const likelihoodBackward = aten('nll_loss_backward');
const ones = aten('ones');
const contiguous = aten('contiguous');
const groupNorm = aten('native_group_norm');
const groupNormBackward = aten('native_group_norm_backward');

/** c10's Reduction::Mean */
const MEAN = 1;
const ALL = [true, true, true];
const { float32, int64 } = scalarType;

const optional = (t: Tensor | null | undefined): Handle | null => (t ? exact(t) : null);

/** Version 1's gradient of group norm is wrong where channels lie together. */
const planes = (x: Tensor): Handle => {
  const values = cast(imageOf(x), float32);
  return version.startsWith('1.') ? contiguous(values) : values;
};

export const torchOps: Pick<FusedOps, 'logSoftmax' | 'crossEntropy' | 'layerNorm2d'> = {
  logSoftmax: (x) =>
    differentiable(
      { x },
      () => {
        const y = kernelScope(() => tensor(logSoftmax(exact(x), -1, false), x.shape));
        return { output: y, save: [y] };
      },
      (dy, [y]) => ({
        x: () => kernelScope(() => tensor(logSoftmaxBackward(exact(dy), h(y), -1, float32), y.shape)),
      }),
    ),

  crossEntropy(logits, labels, options = {}) {
    const { ignoreIndex = -1, labelSmoothing = 0, weight } = options;
    const [rows, classes] = logits.shape;
    const plain = labels.shape.length === 1 && labels.shape[0] === rows && logits.shape.length === 2;
    if (!plain || labelSmoothing !== 0) return lossOps.crossEntropy(logits, labels, options);
    return differentiable(
      { logits },
      () =>
        kernelScope(() => {
          const y = logSoftmax(exact(logits), 1, false);
          const [loss, total] = likelihood(y, cast(h(labels), int64), optional(weight), MEAN, ignoreIndex);
          const save = [tensor(y, logits.shape), tensor(total, []), labels, ...(weight ? [weight] : [])];
          return { output: tensor(loss, []), save };
        }),
      (dy, [y, total, target, savedWeight]) => ({
        logits: () =>
          kernelScope(() => {
            const [at, w] = [cast(h(target), int64), optional(savedWeight)];
            const gradient = likelihoodBackward(exact(dy), h(y), at, w, MEAN, ignoreIndex, h(total));
            return tensor(logSoftmaxBackward(gradient, h(y), 1, float32), [rows, classes]);
          }),
      }),
    );
  },

  layerNorm2d(x, scale, offset, eps = 1e-5) {
    const [n, height, width, c] = x.shape;
    const sizes = [n, c, height * width, 1] as const;
    // the gradient of some versions is wrong, or fails, without a scale
    const factor = (given: Tensor | null | undefined) => optional(given) ?? ones([c], float32, undefined, device);
    return differentiable(
      { x, scale, offset },
      () =>
        kernelScope(() => {
          const input = planes(x);
          const [y, mean, invStd] = groupNorm(input, factor(scale), optional(offset), ...sizes, eps);
          const save = [x, tensor(mean, [n, 1]), tensor(invStd, [n, 1]), ...(scale ? [scale] : [])];
          return { output: image(y, x.shape), save };
        }),
      (dy, [savedX, mean, invStd, savedScale]) => {
        const [dx, dScale, dOffset] = kernelScope(() => {
          const gradient = planes(dy);
          const input = planes(savedX);
          const parts = groupNormBackward(gradient, input, h(mean), h(invStd), factor(savedScale), ...sizes, ALL);
          const [first, second, third] = parts as [Handle, Handle, Handle];
          return [image(first, savedX.shape), tensor(second, [c]), tensor(third, [c])];
        });
        return { x: () => dx, scale: () => dScale, offset: () => dOffset };
      },
    );
  },
};
