/** Which parameters share a learning rate and a weight decay. */
import { nearest } from '../../graph/problem.ts';
import type { OptimizedParameter } from '../../runtime/node.ts';

/** @typeParam D a weight decay: a number, or what gives it */
export interface GroupRules<D = number> {
  readonly weight_decay: D;
  readonly head_weight_decay: D;
  readonly regularize_bn: boolean;
  readonly regularize_bias: boolean;
  /** parts of names; parameters of no layer (tokens, scales) whose name has one get no weight decay */
  readonly unregularized: readonly string[];
  /** full names of parameters that are not trained */
  readonly frozen: readonly string[];
  /** one group for everything */
  readonly single_group: boolean;
}

export interface ParameterGroup<D = number> {
  readonly lr: 'trunk' | 'head';
  readonly weightDecay: D | 0;
  /** positions in the list of parameters */
  readonly members: readonly number[];
}

/**
 * Groups in VISSL's order: trunk with and without weight decay, head with and without, parameters of no layer, and
 * those of them that are named unregularized; the last two only when they have members. Weights of convolutions and
 * linear layers are regularised; their biases if `regularize_bias`; the weights of normalisation if `regularize_bn`,
 * their biases if both. (VISSL v0.1.5 regularises trunk biases whatever is said; its main branch, and this, do not.)
 * Throws when `frozen` has a name that no parameter has.
 */
export function parameterGroups<D>(
  parameters: readonly Pick<OptimizedParameter, 'name' | 'layer' | 'kind' | 'head'>[],
  rules: GroupRules<D>,
): ParameterGroup<D>[] {
  checkFrozen(
    parameters.map(({ name }) => name),
    rules.frozen,
  );
  const frozen = new Set(rules.frozen);
  const trained = parameters.flatMap((parameter, i) => (frozen.has(parameter.name) ? [] : [{ parameter, i }]));
  const members = (test: (parameter: (typeof parameters)[number]) => boolean) =>
    trained.filter(({ parameter }) => test(parameter)).map(({ i }) => i);
  if (rules.single_group) return [{ lr: 'trunk', weightDecay: rules.weight_decay, members: members(() => true) }];

  const layered = (head: boolean, decayed: boolean) =>
    members((p) => p.layer !== 'other' && p.head === head && isRegularized(p, rules) === decayed);
  const isUnregularized = (name: string) => rules.unregularized.some((part) => name.includes(part));
  const rest = members((p) => p.layer === 'other' && !isUnregularized(p.name));
  const restUndecayed = members((p) => p.layer === 'other' && isUnregularized(p.name));
  const groups: ParameterGroup<D>[] = [
    { lr: 'trunk', weightDecay: rules.weight_decay, members: layered(false, true) },
    { lr: 'trunk', weightDecay: 0, members: layered(false, false) },
    { lr: 'head', weightDecay: rules.head_weight_decay, members: layered(true, true) },
    { lr: 'head', weightDecay: 0, members: layered(true, false) },
  ];
  if (rest.length > 0) groups.push({ lr: 'trunk', weightDecay: rules.weight_decay, members: rest });
  if (restUndecayed.length > 0) groups.push({ lr: 'trunk', weightDecay: 0, members: restUndecayed });
  return groups;
}

/** Throws when `frozen` has a name that is not among the names. */
export function checkFrozen(names: readonly string[], frozen: readonly string[]): void {
  for (const name of frozen) {
    if (names.includes(name)) continue;
    const near = nearest(name, names);
    const cure = near ? `Did you mean "${near}"?` : `Names are "<node>.<name in the state dict>"`;
    throw new RangeError(`frozen: there is no parameter "${name}". ${cure}`);
  }
}

function isRegularized(
  { layer, kind }: Pick<OptimizedParameter, 'layer' | 'kind'>,
  rules: GroupRules<unknown>,
): boolean {
  const isNorm = layer === 'batch_norm' || layer === 'layer_norm_2d' || layer === 'layer_norm';
  if (isNorm && !rules.regularize_bn) return false;
  return kind !== 'bias' || rules.regularize_bias;
}
