import { batch, defineNode, T } from '../../runtime/node.ts';
import type { Tensor } from '../../runtime/tensor/types.ts';

/**
 * Cross entropy summed over several outputs with one target: class indices (rows with `ignore_index` do not count), or
 * class probabilities [N, C]. With label smoothing s the target is s / C + (1 − s)·one-hot.
 * As in the reference code, smoothed and soft targets use neither class weights nor ignore_index, and a batch without
 * a counted row gives NaN.
 */
export default defineNode({
  type: 'loss/cross_entropy_multiple_output_single_target',
  description: 'Cross entropy of one or several outputs against one label.',
  aliases: ['cross_entropy_multiple_output_single_target', 'CrossEntropyLoss'],
  role: 'loss',
  params: T.Object({
    temperature: T.Number({ default: 1, exclusiveMinimum: 0, description: 'logits are divided by it' }),
    normalize_output: T.Boolean({ default: false, description: 'l2-normalise the outputs first' }),
    ignore_index: T.Integer({ default: -1, description: 'label of rows that do not count' }),
    label_smoothing: T.Number({
      default: 0,
      minimum: 0,
      exclusiveMaximum: 1,
      description: 'share spread over classes',
    }),
    weight: T.Optional(T.Array(T.Number({ minimum: 0 }), { description: 'weight per class; default: all alike' })),
  }),
  inputs: {
    outputs: batch.tensor('float32', undefined, { many: true, description: 'logits [N, C], one or several' }),
    target: batch.tensor('int32', undefined, { description: 'class index [N]' }),
  },
  outputs: { loss: batch.scalar('float32') },
  show: ['temperature', 'label_smoothing'],
  create: ({ params, tf, ops }) => {
    const { temperature, normalize_output, ignore_index: ignoreIndex, label_smoothing: labelSmoothing } = params;
    const one = (output: Tensor, target: Tensor): Tensor => {
      const classes = output.shape[1]!;
      if (params.weight && params.weight.length !== classes) {
        throw new Error(`weight has ${params.weight.length} numbers for ${classes} classes`);
      }
      const logits = tf.div(normalize_output ? ops.l2Normalize(output) : output, temperature);
      if (target.shape.length === 2) return ops.crossEntropy(logits, target);
      if (labelSmoothing > 0) {
        const soft = ops.noGrad(() =>
          tf.add(
            tf.mul(tf.cast(tf.oneHot(target as never, classes), 'float32'), 1 - labelSmoothing),
            labelSmoothing / classes,
          ),
        );
        return ops.crossEntropy(logits, soft);
      }
      const weight = params.weight ? { weight: tf.tensor1d([...params.weight]) } : {};
      return ops.crossEntropy(logits, target, { ignoreIndex, ...weight });
    };
    return async (inputs) => {
      const outputs = [inputs.outputs].flat() as Tensor[];
      const target = inputs.target as Tensor;
      await requireClasses(target, Math.min(...outputs.map(({ shape }) => shape[1]!)));
      return { loss: tf.addN(outputs.map((output) => one(output, target))) };
    };
  },
});

/** A label that no column stands for would silently count for nothing. */
async function requireClasses(target: Tensor, classes: number): Promise<void> {
  if (target.shape.length !== 1) return;
  const labels = (await target.data()) as Int32Array;
  const largest = labels.reduce((a, b) => Math.max(a, b), -1);
  if (largest < classes) return;
  throw new Error(`the label ${largest} does not fit ${classes} outputs. Give the last layer ${largest + 1} or more`);
}
