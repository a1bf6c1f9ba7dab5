import { batch, defineNode, T } from '../../runtime/node.ts';
import {
  binaryCrossEntropy,
  checkClassWeights,
  classWeightParam,
  classWeights,
  outputsPort,
  perClass,
  perClassPort,
  reductionParam,
} from './classification.ts';

/**
 * Binary cross entropy of the sigmoid of logits, per class. PyTorch's BCEWithLogitsLoss. Unlike
 * loss/bce_logits_multiple_output_single_target it is one mean over all classes and rows, not a sum over the classes.
 */
export default defineNode({
  type: 'loss/bce_with_logits',
  description: 'Binary cross entropy of logits against a number per class (BCEWithLogitsLoss of PyTorch).',
  aliases: ['BCEWithLogitsLoss'],
  role: 'loss',
  params: T.Object({
    weight: classWeightParam,
    pos_weight: T.Optional(
      T.Array(T.Number(), { description: 'factor on the positive part per class; default: all alike' }),
    ),
    reduction: reductionParam,
  }),
  inputs: {
    outputs: outputsPort('logits'),
    target: perClassPort('1 or 0 per class, or a share; -1: not known'),
  },
  outputs: { loss: batch.scalar('float32') },
  kernels: ['Softplus', 'Sigmoid'],
  show: ['reduction'],
  infer: checkClassWeights('weight', 'pos_weight'),
  create: (context) => {
    const { params, tf } = context;
    return perClass(context, (output, target) => {
      const { pos_weight: given } = params;
      const positive = given && classWeights(tf, 'pos_weight', given, output.shape[1]!);
      return binaryCrossEntropy(tf, output, target, positive);
    });
  },
});
