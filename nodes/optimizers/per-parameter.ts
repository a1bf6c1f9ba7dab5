import type { Optimizer, OptimizerContext } from '../../runtime/node.ts';
import type { Tensor, Variable } from '../../runtime/tensor/types.ts';
import { createRates, type RatesParams } from './rates.ts';

export interface UpdateRule<S> {
  /** state of one parameter, zeros of its shape unless it says otherwise */
  state(zeros: (name: string) => Variable): S;
  /**
   * The new value; assigns to the state with `set`. Runs with recording off, temporaries are freed.
   * @param step updates of this parameter so far, this one included
   */
  update(p: Tensor, g: Tensor, state: S, facts: { lr: number; weightDecay: number; step: number }, set: Set): Tensor;
}

export type Set = (variable: Variable, value: Tensor) => void;

/** An optimizer that treats each parameter on its own. Null gradients leave parameter and state alone. */
export function perParameter<P extends RatesParams, S>(context: OptimizerContext<P>, rule: UpdateRule<S>): Optimizer {
  const { parameters, ops, state } = context;
  const rates = createRates(context);
  const trained = new Set(rates.groups.flatMap(({ members }) => members));
  const own = parameters.map(({ name, variable }, i) =>
    trained.has(i)
      ? {
          values: rule.state((kind) => state.tensor(`${kind}.${name}`, variable.shape, 'float32', () => 0)),
          step: state.number(`step.${name}`, 0),
        }
      : undefined,
  );
  const set: Set = (variable, value) => variable.assign(value as never);
  return {
    lr: rates.lr,
    weightDecay: rates.weightDecay,
    step(gradients, where) {
      for (const group of rates.groups) {
        const settings = rates.at(group, where);
        for (const i of group.members) {
          const gradient = gradients[i];
          if (!gradient) continue;
          const { values, step } = own[i]!;
          step.value += 1;
          const { variable } = parameters[i];
          ops.noGrad(() => {
            const facts = { ...settings, step: step.value };
            variable.assign(rule.update(variable, gradient, values, facts, set) as never);
            return [];
          });
        }
      }
    },
  };
}
