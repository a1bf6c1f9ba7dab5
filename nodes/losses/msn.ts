import { batch, defineNode, T } from '../../runtime/node.ts';
import type { Tensor } from '../../runtime/tensor/types.ts';
import { assignmentsOf } from './swav-assign.ts';

/**
 * Masked siamese networks: anchors (masked views) predict the sharpened prototype probabilities of their target view.
 * Assran et al. 2022, arXiv:2204.07141. Cross entropy of the two, plus `regularization_weight` times log K less the entropy
 * of the mean anchor probabilities. Everything is l2-normalised here; no gradient flows to targets.
 */
export default defineNode({
  type: 'loss/msn',
  description: 'Masked siamese networks: prototype probabilities of masked views (arXiv:2204.07141).',
  aliases: ['MSNLoss'],
  role: 'loss',
  params: T.Object({
    temperature: T.Number({ default: 0.1, exclusiveMinimum: 0, description: 'softmax temperature' }),
    sinkhorn_iterations: T.Integer({ default: 3, minimum: 0, description: 'rounds of Sinkhorn-Knopp on the targets' }),
    target_sharpen_temperature: T.Number({ default: 0.25, exclusiveMinimum: 0, description: 'of the sharpening' }),
    regularization_weight: T.Number({ default: 1, minimum: 0, description: 'weight of the mean entropy' }),
  }),
  inputs: {
    anchors: batch.tensor('float32', ['A*N', 'D'], { description: 'view-major, one or several per target' }),
    targets: batch.tensor('float32', ['N', 'D']),
    prototypes: batch.weights(undefined, { description: '[D, K], or a list with that' }),
  },
  outputs: { loss: batch.scalar('float32') },
  show: ['temperature', 'regularization_weight'],
  create: ({ params, tf, ops, ranks, name }) => {
    const tools = { tf, ops, ranks };
    /** columns of length 1 */
    const unitColumns = (w: Tensor) => tf.div(w, tf.maximum(tf.sqrt(tf.sum(tf.square(w), 0, true)), 1e-12));
    return async (inputs) => {
      const [prototypes] = [inputs.prototypes].flat() as Tensor[];
      const views = inputs.anchors.shape[0] / inputs.targets.shape[0];
      if (!Number.isInteger(views)) {
        throw new Error(
          `${name}: ${inputs.anchors.shape[0]} anchors are no multiple of ${inputs.targets.shape[0]} targets`,
        );
      }
      const columns = unitColumns(prototypes);
      const logits = (x: Tensor) =>
        tf.div(tf.matMul(ops.l2Normalize(x) as never, columns as never), params.temperature);
      const sharpened = ops.noGrad(() => {
        const raised = tf.pow(tf.softmax(logits(inputs.targets)), 1 / params.target_sharpen_temperature);
        return tf.div(raised, tf.sum(raised, 1, true));
      });
      const options = { iterations: params.sinkhorn_iterations, powerLaw: 0, inDouble: false, hard: false };
      const balanced = params.sinkhorn_iterations > 0 ? await assignmentsOf(tools, sharpened, options) : sharpened;
      const targets = ops.noGrad(() => tf.tile(balanced, [views, 1]));
      const anchors = logits(inputs.anchors);
      const loss = ops.crossEntropy(anchors, targets);
      if (params.regularization_weight === 0) return { loss };
      const mean = tf.mean(tf.softmax(anchors), 0);
      const entropy = tf.neg(tf.sum(tf.mul(mean, tf.log(mean))));
      const missing = tf.sub(Math.log(mean.shape[0]!), entropy);
      return { loss: tf.add(loss, tf.mul(missing, params.regularization_weight)) };
    };
  },
});
