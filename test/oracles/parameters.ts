import type { ParameterView } from '../../runtime/events.ts';
import type { Tensor, Variable } from '../../runtime/tensor/types.ts';

/** A variable as hooks see it, without gradient. */
export const viewOf = (name: string, variable: Variable): ParameterView => ({
  name,
  node: name.split('.')[0],
  value: () => variable,
  assign: (value: Tensor) => variable.assign(value),
  gradient: () => null,
  setGradient: () => undefined,
});
