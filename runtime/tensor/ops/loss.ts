import * as tf from '@tensorflow/tfjs-core';
import { differentiable } from '../differentiable.ts';
import type { CrossEntropyOptions, FusedOps, Tensor } from '../types.ts';

export const lossOps: Pick<FusedOps, 'logSoftmax' | 'crossEntropy' | 'topk'> = {
  logSoftmax(x) {
    return differentiable(
      { x },
      () => {
        const y = logSoftmax(x);
        return { output: y, save: [y] };
      },
      (dy, [y]) => ({ x: () => tf.sub(dy, tf.mul(tf.exp(y), tf.sum(dy, -1, true))) }),
    );
  },

  crossEntropy(logits, labels, options = {}) {
    const [rows, classes] = logits.shape;
    const hard = labels.shape.length === 1;
    if (logits.shape.length !== 2 || labels.shape[0] !== rows || (!hard && labels.shape[1] !== classes)) {
      throw new Error(
        `crossEntropy of logits [${logits.shape}] and labels [${labels.shape}]: expected [N, K] and [N] or [N, K]`,
      );
    }
    return differentiable(
      { logits, ...(hard ? {} : { labels }) },
      () => {
        const logProbabilities = logSoftmax(logits);
        const { target, total } = hard
          ? hardTarget(labels, classes, options)
          : { target: softTarget(labels, classes, options), total: null };
        const loss = tf.neg(tf.sum(tf.mul(target, logProbabilities)));
        // as PyTorch: with no row that counts the mean is NaN, its gradient 0
        return {
          output: total ? tf.add(loss, tf.div(tf.zerosLike(total), total)) : loss,
          save: [logProbabilities, target],
        };
      },
      (dy, [logProbabilities, target]) => ({
        logits: () => {
          const total = tf.sum(target, 1, true);
          return tf.mul(tf.sub(tf.mul(tf.exp(logProbabilities), total), target), dy);
        },
        labels: () => {
          const { labelSmoothing: s = 0, weight } = options;
          const scaled = tf.mul(logProbabilities, tf.mul(dy, -(1 - s) / rows));
          return weight ? tf.mul(scaled, weight) : scaled;
        },
      }),
    );
  },

  topk(x, k) {
    const length = x.shape.at(-1)!;
    if (k < 1 || k > length) throw new Error(`topk of [${x.shape}]: k must lie between 1 and ${length}, got ${k}`);
    const [values, indices] = differentiable<Tensor[]>(
      { x },
      () => {
        const top = tf.topk(x, k);
        return { output: [top.values, top.indices], save: [top.indices] };
      },
      ([dValues], [at]) => ({
        x: () => {
          const count = x.size / length;
          const row = tf.mul(tf.range(0, count, 1, 'int32'), tf.scalar(length, 'int32'));
          const places = tf.add(tf.reshape(row, [count, 1]), tf.reshape(at, [count, k]));
          const spread = tf.scatterND(tf.reshape(places, [-1, 1]), tf.reshape(dValues, [-1]), [x.size]);
          return tf.reshape(spread, x.shape);
        },
      }),
    );
    return { values, indices };
  },
};

function logSoftmax(x: Tensor): Tensor {
  const shifted = tf.sub(x, tf.max(x, -1, true));
  return tf.sub(shifted, tf.log(tf.sum(tf.exp(shifted), -1, true)));
}

/** [N, K]: what each log-probability counts for, already divided for the mean over the rows' weights; and their total. */
function hardTarget(labels: Tensor, classes: number, options: CrossEntropyOptions): { target: Tensor; total: Tensor } {
  const { ignoreIndex = -1, labelSmoothing: s = 0, weight } = options;
  const counted = tf.cast(tf.notEqual(labels, tf.scalar(ignoreIndex, 'int32')), 'float32');
  const safe = tf.where(tf.cast(counted, 'bool'), labels, tf.zerosLike(labels)) as tf.Tensor1D;
  const oneHot = tf.cast(tf.oneHot(safe, classes), 'float32');
  const smooth = s === 0 ? oneHot : tf.add(tf.mul(oneHot, 1 - s), s / classes);
  const rowWeight = tf.mul(counted, weight ? tf.gather(weight, safe) : 1);
  const weighted = weight ? tf.mul(smooth, weight) : smooth;
  const total = tf.sum(rowWeight);
  const divisor = tf.where(tf.equal(total, 0), tf.onesLike(total), total);
  return { target: tf.div(tf.mul(weighted, tf.reshape(counted, [-1, 1])), divisor), total };
}

/** As above for probabilities; their mean is over all rows. */
function softTarget(labels: Tensor, classes: number, { labelSmoothing: s = 0, weight }: CrossEntropyOptions): Tensor {
  const smooth = s === 0 ? labels : tf.add(tf.mul(labels, 1 - s), s / classes);
  return tf.div(weight ? tf.mul(smooth, weight) : smooth, labels.shape[0]);
}
