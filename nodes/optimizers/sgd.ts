import { batch, defineNode, T } from '../../runtime/node.ts';
import type { SgdOptions } from '../../runtime/tensor/types.ts';
import { createRates, ratesParams } from './rates.ts';

/**
 * Stochastic gradient descent: g' = g + wd·p; v = momentum·v + g'; p −= lr·(nesterov ? g' + momentum·v : v). With LARC
 * (You et al. 2017, arXiv:1708.03888) each parameter's g' is multiplied by trust·|p| / (|g| + wd·|p| + eps), at most lr
 * with `clip`; where |p| or |g| is zero, neither the rate nor weight decay applies in that step.
 * A parameter without a gradient (frozen, or not reached) keeps its value and its velocity.
 * Velocities begin at zero, which gives the same first step as v = g'.
 */
export default defineNode({
  type: 'optimizer/sgd',
  description: 'SGD with momentum, Nesterov momentum and LARC (arXiv:1708.03888).',
  aliases: ['sgd'],
  role: 'optimizer',
  params: T.Object({
    ...ratesParams({ weight_decay: 1e-4 }),
    momentum: T.Number({
      default: 0.9,
      minimum: 0,
      exclusiveMaximum: 1,
      description: 'share of the old velocity kept',
    }),
    nesterov: T.Boolean({ default: false, description: "Nesterov's look-ahead; needs momentum" }),
    larc: T.Optional(
      T.Object(
        {
          clip: T.Boolean({ default: false, description: 'limit the rate of a layer to lr' }),
          eps: T.Number({ default: 1e-8, minimum: 0, description: 'added to the denominator' }),
          trust_coefficient: T.Number({ default: 0.001, exclusiveMinimum: 0, description: 'trust in the layer rate' }),
        },
        { description: 'a rate for each layer by its norms; absent: none' },
      ),
    ),
  }),
  inputs: { loss: batch.scalar('float32') },
  show: ['lr', 'momentum', 'weight_decay', 'larc'],
  create: (context) => {
    const { params, parameters, ops, state } = context;
    const { momentum, nesterov, larc } = params;
    if (nesterov && momentum === 0) throw new RangeError('nesterov needs momentum. Set momentum above 0');
    const rates = createRates(context);
    const trained = new Set(rates.groups.flatMap(({ members }) => members));
    const velocities = parameters.map(({ name, variable }, i) =>
      momentum > 0 && trained.has(i) ? state.tensor(`velocity.${name}`, variable.shape, 'float32', () => 0) : null,
    );
    const options = {
      momentum,
      nesterov,
      ...(larc ? { larc: { clip: larc.clip, eps: larc.eps, trustCoefficient: larc.trust_coefficient } } : {}),
    };
    return {
      lr: rates.lr,
      weightDecay: rates.weightDecay,
      step(gradients, where) {
        for (const group of rates.groups) {
          const settings: SgdOptions = { ...options, ...rates.at(group, where) };
          const members = group.members.filter((i) => gradients[i] !== null);
          if (members.length === 0) continue;
          ops.sgd(
            members.map((i) => parameters[i].variable),
            members.map((i) => gradients[i]!),
            members.flatMap((i) => velocities[i] ?? []),
            true,
            settings,
          );
        }
      },
    };
  },
});
