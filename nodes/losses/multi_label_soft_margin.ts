import { batch, defineNode, T } from '../../runtime/node.ts';
import {
  binaryCrossEntropy,
  checkClassWeights,
  classWeightParam,
  outputsPort,
  perClass,
  perClassPort,
  reductionParam,
} from './classification.ts';

/**
 * Each row's mean over its classes of the binary cross entropy of logits, times the weight of the class. PyTorch's
 * MultiLabelSoftMarginLoss: with the mean over rows it is its BCEWithLogitsLoss, with their sum it is not.
 */
export default defineNode({
  type: 'loss/multi_label_soft_margin',
  description: 'One-versus-all logistic loss against 1 or 0 per class (MultiLabelSoftMarginLoss of PyTorch).',
  aliases: ['MultiLabelSoftMarginLoss'],
  role: 'loss',
  params: T.Object({ weight: classWeightParam, reduction: reductionParam }),
  inputs: {
    outputs: outputsPort('logits'),
    target: perClassPort('1 or 0 per class; -1: not known'),
  },
  outputs: { loss: batch.scalar('float32') },
  kernels: ['Softplus', 'Sigmoid'],
  show: ['reduction'],
  infer: checkClassWeights('weight'),
  create: (context) => {
    const { params, tf } = context;
    return perClass(context, (output, target) => {
      const entries = binaryCrossEntropy(tf, output, target);
      return params.reduction === 'sum' ? tf.div(entries, output.shape[1]!) : entries;
    });
  },
});
