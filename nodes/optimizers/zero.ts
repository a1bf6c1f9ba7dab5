import { batch, defineNode, type NestedNode, nested, T } from '../../runtime/node.ts';
import { checkFrozen } from './groups.ts';
import { sharesOf } from './shares.ts';

/**
 * ZeRO stage 1 (Rajbhandari et al. 2020, arXiv:1910.02054), as fairscale's OSS: each rank updates a share of the
 * parameters and keeps the state of that share alone; after the step every rank has the new values of all. Shares are of
 * whole parameters and about equally large. Weights are bit for bit those of the base optimizer; checkpoints hold the
 * whole state, as the base optimizer's do. On one rank it is the base optimizer.
 * Differences from the reference: gradients are not spread over the ranks, each has the means of all (hooks see them);
 * rates, groups and schedules stand with the base optimizer; activation checkpointing goes with it, since gradients are
 * reduced after the backward pass.
 */
export default defineNode({
  type: 'optimizer/zero',
  description: 'Another optimizer whose state is spread over the ranks (ZeRO stage 1, arXiv:1910.02054).',
  aliases: ['zero'],
  role: 'optimizer',
  params: T.Object({
    base_optimizer: nested('optimizer', {
      description: 'the optimizer that updates, with its params: {"optimizer": "sgd", "lr": 0.1, …}',
    }),
  }),
  inputs: { loss: batch.scalar('float32') },
  show: ['base_optimizer'],
  check: ({ params }) => {
    const { optimizer } = params.base_optimizer as NestedNode;
    if (optimizer !== 'zero') return [];
    return [
      { at: 'base_optimizer', message: 'is zero itself', cure: 'Name the optimizer whose state is to be spread' },
    ];
  },
  create: ({ params, parameters, ranks, nested: open }) => {
    const { frozen = [], ...base } = params.base_optimizer as NestedNode & { readonly frozen?: readonly string[] };
    const names = parameters.map(({ name }) => name);
    checkFrozen(names, frozen);
    const trained = [...parameters.keys()].filter((i) => !frozen.includes(names[i]));
    const sizes = trained.map((i) => parameters[i].variable.size);
    const shares = sharesOf(sizes, ranks.size).map((share) => share.map((i) => trained[i]));
    const own = shares[ranks.rank];
    const optimizer = open(
      base,
      own.map((i) => parameters[i]),
    );
    return {
      ...optimizer,
      shares,
      step: (gradients, where) =>
        optimizer.step(
          own.map((i) => gradients[i]),
          where,
        ),
    };
  },
});
