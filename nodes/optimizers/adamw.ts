import { batch, defineNode, T } from '../../runtime/node.ts';
import { adamParams, adamRule } from './adam-rule.ts';
import { perParameter } from './per-parameter.ts';

/** AdamW: Adam whose weight decay acts on the parameters themselves. Loshchilov and Hutter 2019, arXiv:1711.05101. */
export default defineNode({
  type: 'optimizer/adamw',
  description: 'Adam with decoupled weight decay (arXiv:1711.05101).',
  aliases: ['adamw'],
  role: 'optimizer',
  params: T.Object(adamParams({ weight_decay: 0.01 })),
  inputs: { loss: batch.scalar('float32') },
  show: ['lr', 'weight_decay'],
  create: (context) => perParameter(context, adamRule(context.tf, context.params, true)),
});
