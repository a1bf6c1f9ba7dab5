import { batch, defineNode, T } from '../../runtime/node.ts';
import { adamRule } from './adam-rule.ts';
import { perParameter } from './per-parameter.ts';
import { ratesParams } from './rates.ts';

/** Adam. Kingma and Ba 2015, arXiv:1412.6980. Weight decay is part of the gradient. */
export default defineNode({
  type: 'optimizer/adam',
  description: 'Adam (arXiv:1412.6980).',
  aliases: ['adam'],
  role: 'optimizer',
  params: T.Object({
    ...ratesParams({ weight_decay: 0 }),
    betas: T.Tuple([T.Number({ minimum: 0, exclusiveMaximum: 1 }), T.Number({ minimum: 0, exclusiveMaximum: 1 })], {
      default: [0.9, 0.999],
      description: 'shares of the old means of gradients and of their squares kept',
    }),
    eps: T.Number({ default: 1e-8, minimum: 0, description: 'added to the denominator' }),
    amsgrad: T.Boolean({ default: false, description: 'divide by the largest mean square so far' }),
  }),
  inputs: { loss: batch.scalar('float32') },
  show: ['lr', 'weight_decay'],
  create: (context) => perParameter(context, adamRule(context.tf, context.params, false)),
});
