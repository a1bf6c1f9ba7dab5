import { batch, defineNode, T } from '../../runtime/node.ts';
import { adamParams, adamRule } from './adam-rule.ts';
import { perParameter } from './per-parameter.ts';

/** Adam. Kingma and Ba 2015, arXiv:1412.6980. Weight decay is part of the gradient. */
export default defineNode({
  type: 'optimizer/adam',
  description: 'Adam (arXiv:1412.6980).',
  aliases: ['adam'],
  role: 'optimizer',
  params: T.Object(adamParams({ weight_decay: 0 })),
  inputs: { loss: batch.scalar('float32') },
  show: ['lr', 'weight_decay'],
  create: (context) => perParameter(context, adamRule(context.tf, context.params, false)),
});
