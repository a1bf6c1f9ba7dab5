/** What all optimizers share: the params of groups and rates, and the rates in use. */
import { type ComputeContext, type NestedNode, nested, type OptimizedParameter, T } from '../../runtime/node.ts';
import { type AutoLrScaling, autoLrScaling, scaleSchedule } from './auto-lr-scaling.ts';
import { type ParameterGroup, parameterGroups } from './groups.ts';

export const ratesParams = (defaults: { readonly weight_decay: number }) => ({
  lr: nested('schedule', { number: true, description: 'learning rate: a number, or a schedule over the run' }),
  auto_lr_scaling: T.Optional(autoLrScaling),
  weight_decay: T.Number({ default: defaults.weight_decay, minimum: 0, description: 'weight decay' }),
  regularize_bn: T.Boolean({ default: false, description: 'weight decay on the weights of normalisation' }),
  regularize_bias: T.Boolean({ default: true, description: 'weight decay on biases' }),
  head: T.Optional(
    T.Object(
      {
        lr: T.Optional(nested('schedule', { number: true, description: 'learning rate of heads' })),
        auto_lr_scaling: T.Optional(autoLrScaling),
        weight_decay: T.Optional(T.Number({ minimum: 0, description: 'weight decay of heads' })),
      },
      { description: 'what heads have of their own; default: as the trunk (head_optimizer_params in VISSL)' },
    ),
  ),
  unregularized: T.Array(T.String(), {
    default: [],
    description: 'parts of names of parameters outside layers (tokens, scales) that get no weight decay',
  }),
  frozen: T.Array(T.String(), {
    default: [],
    description: 'parameters that are not trained, "<node>.<name in the state dict>" (NON_TRAINABLE_PARAMS in VISSL)',
  }),
  single_group: T.Boolean({ default: false, description: 'one group with the same weight decay for all parameters' }),
});

export interface RatesParams {
  readonly lr: number | NestedNode;
  readonly auto_lr_scaling?: AutoLrScaling;
  readonly weight_decay: number;
  readonly regularize_bn: boolean;
  readonly regularize_bias: boolean;
  readonly head?: {
    readonly lr?: number | NestedNode;
    readonly auto_lr_scaling?: AutoLrScaling;
    readonly weight_decay?: number;
  };
  readonly unregularized: readonly string[];
  readonly frozen: readonly string[];
  readonly single_group: boolean;
}

export interface Rates {
  readonly groups: readonly ParameterGroup[];
  /** Learning rate of a group. Throws unless 0 ≤ where < 1. */
  at(group: ParameterGroup, where: number): number;
  /** Distinct rates, the trunk's first. */
  all(where: number): readonly number[];
}

/** Groups and rates of a run. The head's rate is the trunk's unless it has one of its own. */
export function createRates(
  context: ComputeContext<RatesParams> & { readonly parameters: readonly OptimizedParameter[] },
): Rates {
  const { params, parameters, ranks, run } = context;
  const batch = { images: run.batchSize * ranks.size, machines: ranks.machines ?? 1 };
  const trunk = context.schedule(scaleSchedule(params.lr, params.auto_lr_scaling, batch));
  const own = params.head?.lr;
  const head = own === undefined ? trunk : context.schedule(scaleSchedule(own, params.head?.auto_lr_scaling, batch));
  const groups = parameterGroups(parameters, {
    ...params,
    head_weight_decay: params.head?.weight_decay ?? params.weight_decay,
  });
  const at = (group: ParameterGroup, where: number) => {
    if (!(where >= 0 && where < 1)) throw new RangeError(`an optimizer steps at where in [0, 1), not at ${where}`);
    return group.lr === 'head' ? head(where) : trunk(where);
  };
  const all = (where: number) => [...new Set(own === undefined ? [trunk(where)] : [trunk(where), head(where)])];
  return { groups, at, all };
}
