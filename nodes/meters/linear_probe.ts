import { batch, defineNode, phase, T } from '../../runtime/node.ts';
import type { Tensor } from '../../runtime/tensor/types.ts';
import { percent, validPort } from './outputs.ts';
import { sumOverRanks } from './ranks.ts';

/**
 * A linear classifier that learns beside the training, on features that it gives no gradient to: top-1 accuracy of each
 * phase, in percent, before the update of each batch. Softmax regression with SGD and momentum; features are scaled to
 * length 1. Any pipeline with labels may have one; in phases without training it only predicts.
 */
export default defineNode({
  type: 'meter/linear_probe',
  description: 'Online linear probe: accuracy of a classifier that learns on the features as they are.',
  role: 'meter',
  params: T.Object({
    num_classes: T.Integer({ minimum: 2, description: 'number of classes' }),
    lr: T.Number({ default: 0.3, exclusiveMinimum: 0, description: 'learning rate of the classifier' }),
    momentum: T.Number({ default: 0.9, minimum: 0, exclusiveMaximum: 1, description: 'of its SGD' }),
  }),
  inputs: {
    features: batch.tensor('float32', ['V*N', 'D'], { description: 'of one view or several, view after view' }),
    label: batch.label(['N'], { description: 'class index; -1: the image does not count' }),
    valid: validPort,
  },
  outputs: { metrics: phase.metrics({ description: 'top1, and the mean loss' }) },
  show: ['num_classes', 'lr'],
  create: ({ params, symbols, tf, ops, ranks, state, name }) => {
    const { num_classes: classes, lr, momentum } = params;
    const width = symbols.D;
    if (width === undefined) throw new Error(`${name} needs features of a known width`);
    const weight = state.tensor('weight', [width + 1, classes], 'float32', () => 0);
    const velocity = state.tensor('velocity', [width + 1, classes], 'float32', () => 0);
    const hits = state.number('hits', 0);
    const rows = state.number('rows', 0);
    const loss = state.number('loss', 0);

    /** Rows of length 1 with a last column of ones; targets and weights of the rows. */
    const prepare = (inputs: { features: Tensor; label: Tensor; valid?: Tensor }) => {
      const views = inputs.features.shape[0]! / inputs.label.shape[0]!;
      const known = tf.cast(tf.greaterEqual(inputs.label, tf.scalar(0, 'int32')), 'float32');
      const counted = inputs.valid ? tf.mul(known, tf.cast(inputs.valid, 'float32')) : known;
      const labels = tf.tile(inputs.label, [views]);
      const unit = ops.l2Normalize(inputs.features);
      return {
        x: tf.concat([unit, tf.ones([unit.shape[0]!, 1])], 1),
        labels,
        target: tf.cast(tf.oneHot(tf.maximum(labels, tf.scalar(0, 'int32')) as never, classes), 'float32'),
        counted: tf.tile(counted, [views]),
      };
    };

    return {
      reset() {
        for (const one of [hits, rows, loss]) one.value = 0;
      },
      async add(inputs, { training }) {
        const { gradient, numbers } = ops.noGrad(() => {
          const { x, labels, target, counted } = prepare(inputs as never);
          const logits = tf.matMul(x as never, weight as never);
          const log = tf.logSoftmax(logits);
          const right = tf.cast(tf.equal(tf.argMax(logits, 1), labels), 'float32');
          const count = tf.sum(counted);
          const error = tf.mul(tf.sub(tf.exp(log), target), tf.reshape(counted, [-1, 1]));
          return {
            gradient: tf.div(tf.matMul(x as never, error as never, true, false), tf.maximum(count, 1)),
            numbers: tf.stack([
              tf.sum(tf.mul(right, counted)),
              count,
              tf.neg(tf.sum(tf.mul(tf.sum(tf.mul(log, target), 1), counted))),
            ]),
          };
        });
        const [right, count, sum] = await numbers.data();
        hits.value += right;
        rows.value += count;
        loss.value += sum;
        if (!training) return;
        const shared = await ranks.allReduce(gradient, 'mean');
        ops.noGrad(() => {
          velocity.assign(tf.add(tf.mul(velocity, momentum), shared));
          weight.assign(tf.sub(weight, tf.mul(velocity, lr)));
        });
      },
      async finish() {
        const [right, count, sum] = await sumOverRanks(tf, ranks, [hits.value, rows.value, loss.value]);
        return { metrics: { top1: percent(right, count), loss: count > 0 ? sum / count : Number.NaN } };
      },
    };
  },
});
