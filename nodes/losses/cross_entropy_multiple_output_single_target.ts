import { formatShape, mayEqual } from '../../graph/dim.ts';
import type { StaticContext } from '../../graph/node-type.ts';
import type { PortType } from '../../graph/port.ts';
import { batch, defineNode, T } from '../../runtime/node.ts';
import type { Tensor } from '../../runtime/tensor/types.ts';
import { requireClasses } from './classification.ts';

/** Either of two forms, so that the port names neither dtype nor shape: `checkTarget` does. */
const targetPort: PortType = {
  rate: 'batch',
  kind: 'tensor',
  description: 'class index [N], or a probability per class [N, C]',
};

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
    target: targetPort,
  },
  outputs: { loss: batch.scalar('float32') },
  show: ['temperature', 'label_smoothing'],
  infer: (context) => {
    checkTarget(context);
    return {};
  },
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
      if (target.shape.length === 1) {
        if (target.dtype !== 'int32') throw new Error(`the target has the shape [${target.shape}]: ${ONE_FLOAT}`);
        const classes = Math.min(...outputs.map(({ shape }) => shape[1]!));
        requireClasses((await target.data()) as Int32Array, classes, labelSmoothing > 0 ? -1 : ignoreIndex);
      }
      return { loss: tf.addN(outputs.map((output) => one(output, target))) };
    };
  },
});

const ONE_FLOAT = 'class indices are int32, and probabilities [N, C]';

/** What of the target can be wrong before the run: its form, and that it fits each output. */
function checkTarget({ inputs, problem }: StaticContext<unknown>): void {
  const [target] = inputs.target ?? [];
  const [shape] = target?.shapes ?? [];
  if (!shape) return;
  const wrong = (message: string, cure: string) => problem({ at: 'target', message, cure });
  const is = `the target is ${formatShape(shape)}`;
  if (shape.length !== 1 && shape.length !== 2) {
    wrong(`${is}: ${shape.length} dimensions are neither class indices N nor probabilities N×C`, 'Give one of the two');
    return;
  }
  if (shape.length === 1 && target!.dtype === 'float32') wrong(`${is} of float32: ${ONE_FLOAT}`, 'Give one of the two');
  for (const output of (inputs.outputs ?? []).flatMap(({ shapes }) => shapes ?? [])) {
    if (output.length !== 2) problem({ at: 'outputs', message: `logits are N×C, not ${formatShape(output)}` });
    else if (shape.some((dim, i) => !mayEqual(dim, output[i]!))) {
      const [what, cure] =
        shape.length === 1
          ? ['one class per row', 'Give as many labels as there are rows']
          : ['one probability per logit', 'Make the classes of the target and the width of the last layer the same'];
      wrong(`${is}, and an output ${formatShape(output)}: there is to be ${what}`, cure);
    }
  }
}
