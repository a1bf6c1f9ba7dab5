import { batch, defineNode, T } from '../../runtime/node.ts';
import type { Tensor } from '../../runtime/tensor/types.ts';
import {
  checkClassWeights,
  classWeightParam,
  outputsPort,
  perClass,
  perClassPort,
  reductionParam,
} from './classification.ts';

/** Least logarithm, and least x·(1 − x) in the gradient: PyTorch's. */
const LEAST_LOG = -100;
const LEAST_SPREAD = 1e-12;

/**
 * −t·log x − (1 − t)·log(1 − x) for probabilities x. PyTorch's BCELoss: logarithms end at −100, and the gradient is
 * (x − t) / max(x·(1 − x), 1e-12), so that both are finite where x is 0 or 1. From logits, loss/bce_with_logits is exact.
 */
export default defineNode({
  type: 'loss/bce',
  description: 'Binary cross entropy of probabilities against a number per class (BCELoss of PyTorch).',
  aliases: ['BCELoss'],
  role: 'loss',
  params: T.Object({ weight: classWeightParam, reduction: reductionParam }),
  inputs: {
    outputs: outputsPort('probabilities'),
    target: perClassPort('1 or 0 per class, or a share; -1: not known'),
  },
  outputs: { loss: batch.scalar('float32') },
  show: ['reduction'],
  infer: checkClassWeights('weight'),
  create: (context) => {
    const { tf, ops } = context;
    const entries = tf.customGrad((...given) => {
      const [x, target, save] = given as [Tensor, Tensor, (tensors: Tensor[]) => void];
      save([x, target]);
      const log = (p: Tensor) => tf.maximum(tf.log(p), LEAST_LOG);
      const likelihood = tf.add(tf.mul(target, log(x)), tf.mul(tf.sub(1, target), log(tf.sub(1, x))));
      return {
        value: tf.neg(likelihood),
        gradFunc: (dy: Tensor, [p, t]: Tensor[]) => {
          const spread = tf.maximum(tf.mul(p, tf.sub(1, p)), LEAST_SPREAD);
          return [tf.mul(dy, tf.div(tf.sub(p, t), spread)), tf.mul(dy, tf.sub(log(tf.sub(1, p)), log(p)))];
        },
      };
    });
    const loss = perClass(context, entries);
    return async (inputs) => {
      for (const output of [inputs.outputs].flat()) await requireProbabilities(output);
      return loss(inputs);
    };

    async function requireProbabilities(output: Tensor): Promise<void> {
      const [least, most] = await ops.noGrad(() => tf.stack([tf.min(output), tf.max(output)])).data();
      if (!(least < 0 || most > 1)) return;
      throw new Error(
        `outputs are probabilities, between 0 and 1, and these reach from ${least} to ${most}. For logits take loss/bce_with_logits`,
      );
    }
  },
});
