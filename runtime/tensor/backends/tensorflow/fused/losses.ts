/** Losses that TensorFlow has as one operation. */
import * as tf from '@tensorflow/tfjs-core';
import { differentiable } from '../../../differentiable.ts';
import { lossOps } from '../../../ops/loss.ts';
import type { FusedOps } from '../../../types.ts';
import { floats, type } from '../attributes.ts';
import type { Run } from '../run.ts';

export const losses = ({ one, many }: Run): Pick<FusedOps, 'logSoftmax' | 'crossEntropy'> => ({
  logSoftmax: (x) =>
    differentiable(
      { x },
      () => {
        const y = one('LogSoftmax', [floats], x);
        return { output: y, save: [y] };
      },
      (dy, [y]) => ({ x: () => tf.sub(dy, tf.mul(tf.exp(y), tf.sum(dy, -1, true))) }),
    ),

  crossEntropy(logits, labels, options = {}) {
    const { ignoreIndex = -1, labelSmoothing = 0, weight } = options;
    const plain = labels.shape.length === 1 && labels.shape[0] === logits.shape[0] && logits.shape.length === 2;
    if (!plain || labelSmoothing !== 0 || weight) return lossOps.crossEntropy(logits, labels, options);
    return differentiable(
      { logits },
      () => {
        const counted = tf.notEqual(labels, tf.scalar(ignoreIndex, 'int32'));
        const known = tf.where(counted, labels, tf.zerosLike(labels));
        const attributes = [floats, type('Tlabels', 'int32')];
        const [rows, gradient] = many('SparseSoftmaxCrossEntropyWithLogits', attributes, [logits, known], 2);
        const weights = tf.cast(counted, 'float32');
        const total = tf.sum(weights);
        // with no row that counts the mean is NaN, its gradient 0, as PyTorch's
        const share = tf.divNoNan(weights, total);
        return { output: tf.div(tf.sum(tf.mul(rows, weights)), total), save: [gradient, share] };
      },
      (dy, [gradient, share]) => ({
        logits: () => tf.mul(gradient, tf.reshape(tf.mul(share, dy), [-1, 1])),
      }),
    );
  },
});
