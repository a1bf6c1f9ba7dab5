/** What all optimizers share: the params of groups and rates, and the rates in use. */
import { type NestedNode, nested, type OptimizerContext, T } from '../../runtime/node.ts';
import { type AutoLrScaling, autoLrScaling, scaleSchedule } from './auto-lr-scaling.ts';
import { type ParameterGroup, parameterGroups } from './groups.ts';

export const ratesParams = (defaults: { readonly weight_decay: number }) => ({
  lr: nested('schedule', { number: true, description: 'learning rate: a number, or a schedule over the run' }),
  auto_lr_scaling: T.Optional(autoLrScaling),
  weight_decay: nested('schedule', {
    number: true,
    minimum: 0,
    default: defaults.weight_decay,
    description: 'weight decay: a number, or a schedule over the run',
  }),
  regularize_bn: T.Boolean({ default: false, description: 'weight decay on the weights of normalisation' }),
  regularize_bias: T.Boolean({ default: true, description: 'weight decay on biases' }),
  head: T.Optional(
    T.Object(
      {
        lr: T.Optional(nested('schedule', { number: true, description: 'learning rate of heads' })),
        auto_lr_scaling: T.Optional(autoLrScaling),
        weight_decay: T.Optional(
          nested('schedule', { number: true, minimum: 0, description: 'weight decay of heads' }),
        ),
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
  readonly weight_decay: number | NestedNode;
  readonly regularize_bn: boolean;
  readonly regularize_bias: boolean;
  readonly head?: {
    readonly lr?: number | NestedNode;
    readonly auto_lr_scaling?: AutoLrScaling;
    readonly weight_decay?: number | NestedNode;
  };
  readonly unregularized: readonly string[];
  readonly frozen: readonly string[];
  readonly single_group: boolean;
}

type Schedule = (where: number) => number;

export interface Rates {
  readonly groups: readonly ParameterGroup<Schedule>[];
  /** What a group steps with. Throws unless 0 ≤ where < 1, and when a schedule gives a weight decay below 0. */
  at(group: ParameterGroup<Schedule>, where: number): { readonly lr: number; readonly weightDecay: number };
  /** Distinct rates, the trunk's first. */
  lr(where: number): readonly number[];
  /** Distinct weight decays that follow a schedule, the trunk's first; empty when they are numbers. */
  weightDecay(where: number): readonly number[];
}

/**
 * Groups and rates of a run. The head's rate and weight decay are the trunk's unless it has its own. Weight decay over
 * a schedule is that of DINO: Caron et al. 2021, arXiv:2104.14294. Groups without weight decay stay without.
 */
export function createRates(context: OptimizerContext<RatesParams>): Rates {
  const { params, parameters, ranks, run } = context;
  const batch = { images: run.batchSize * ranks.size, machines: ranks.machines ?? 1 };
  const trunk = context.schedule(scaleSchedule(params.lr, params.auto_lr_scaling, batch));
  const own = params.head?.lr;
  const head = own === undefined ? trunk : context.schedule(scaleSchedule(own, params.head?.auto_lr_scaling, batch));
  const decay = context.schedule(params.weight_decay);
  const ownDecay = params.head?.weight_decay;
  const headDecay = ownDecay === undefined ? decay : context.schedule(ownDecay);
  const moving = [
    ...(typeof params.weight_decay === 'object' ? [decay] : []),
    ...(typeof ownDecay === 'object' ? [headDecay] : []),
  ];
  return {
    groups: parameterGroups<Schedule>(parameters, { ...params, weight_decay: decay, head_weight_decay: headDecay }),
    at(group, where) {
      if (!(where >= 0 && where < 1)) throw new RangeError(`an optimizer steps at where in [0, 1), not at ${where}`);
      const weightDecay = group.weightDecay === 0 ? 0 : group.weightDecay(where);
      if (weightDecay < 0) {
        throw new RangeError(
          `weight_decay is ${weightDecay} at ${where} of the run. Take a schedule that stays at 0 or above`,
        );
      }
      return { lr: group.lr === 'head' ? head(where) : trunk(where), weightDecay };
    },
    lr: (where) => [...new Set(own === undefined ? [trunk(where)] : [trunk(where), head(where)])],
    weightDecay: (where) => [...new Set(moving.map((schedule) => schedule(where)))],
  };
}
