import { batch, defineNode, T } from '../../runtime/node.ts';
import type { Tensor } from '../../runtime/tensor/types.ts';
import { outputsPort, overOutputs, perClassPort, reductionParam, requireSameShape } from './classification.ts';

/**
 * log(1 + e^(−t·x)) for targets 1 and −1. PyTorch's SoftMarginLoss; here it stays exact where the power is too large for
 * a float. −1 is a class that does not apply: other than elsewhere, none can be left out.
 */
export default defineNode({
  type: 'loss/soft_margin',
  description: 'Two-class logistic loss of logits against 1 or -1 per class (SoftMarginLoss of PyTorch).',
  aliases: ['SoftMarginLoss'],
  role: 'loss',
  params: T.Object({ reduction: reductionParam }),
  inputs: {
    outputs: outputsPort('logits'),
    target: perClassPort('1 or -1 per class'),
  },
  outputs: { loss: batch.scalar('float32') },
  kernels: ['Softplus', 'Sigmoid'],
  show: ['reduction'],
  create: ({ params, tf }) =>
    overOutputs(tf, async (output, target) => {
      requireSameShape(output, target);
      await requireSigns(target);
      const losses = tf.softplus(tf.neg(tf.mul(tf.cast(target, 'float32'), output)));
      return params.reduction === 'mean' ? tf.mean(losses) : tf.sum(losses);
    }),
});

/** With 0 for a class that does not apply, that class would never be learned. */
async function requireSigns(target: Tensor): Promise<void> {
  const wrong = ((await target.data()) as Float32Array).find((value) => value !== 1 && value !== -1);
  if (wrong === undefined) return;
  throw new Error(`targets are 1 and -1, not ${wrong}. For 1 and 0 take loss/bce_with_logits, which is the same loss`);
}
