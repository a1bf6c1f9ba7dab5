import { batch, defineNode, T } from '../../runtime/node.ts';
import type { Tensor } from '../../runtime/tensor/types.ts';
import { outputsPort, perClassPort, requireSameShape } from './classification.ts';

/**
 * Binary cross entropy for several labels per image: 1, 0, or -1 for not known. Each class is averaged over the images
 * whose label of it is known; classes and outputs are summed. Labels may be shares, as of mixed images.
 */
export default defineNode({
  type: 'loss/bce_logits_multiple_output_single_target',
  description: 'Binary cross entropy of one or several outputs against multi-label targets.',
  aliases: ['bce_logits_multiple_output_single_target'],
  role: 'loss',
  params: T.Object({
    normalize_output: T.Boolean({ default: false, description: 'l2-normalise the outputs first' }),
  }),
  inputs: {
    outputs: outputsPort('logits'),
    target: perClassPort('1, 0 or -1; or a share of mixed labels'),
  },
  outputs: { loss: batch.scalar('float32') },
  derives: ({ ranks }) => ({ world_size: ranks }),
  create: ({ params, tf, ops }) => {
    const one = (output: Tensor, positive: Tensor, weight: Tensor): Tensor => {
      const x = params.normalize_output ? ops.l2Normalize(output) : output;
      // −t·log σ(x) − (1 − t)·log(1 − σ(x)) = softplus(x) − t·x
      return tf.sum(tf.mul(tf.sub(tf.softplus(x), tf.mul(positive, x)), weight));
    };
    return (inputs) => {
      const outputs = [inputs.outputs].flat() as Tensor[];
      const target = inputs.target as Tensor;
      for (const output of outputs) requireSameShape(output, target);
      const [positive, weight] = ops.noGrad(() => {
        const known = tf.cast(tf.notEqual(target, -1), 'float32');
        const counts = tf.sum(known, 0);
        const divisor = tf.where(tf.equal(counts, 0), tf.onesLike(counts), counts);
        return [tf.mul(tf.cast(target, 'float32'), known), tf.div(known, divisor)];
      });
      return { loss: tf.addN(outputs.map((output) => one(output, positive, weight))) };
    };
  },
});
