/** Parameters and buffers as hooks see them. */
import type { ParameterView } from '../events.ts';
import type { TensorApi } from '../tensor/types.ts';
import { owners } from './models.ts';
import type { RunningGraph } from './running.ts';
import type { StepView } from './step.ts';

export interface Views {
  readonly parameters: ReadonlyMap<string, ParameterView>;
  readonly buffers: ReadonlyMap<string, ParameterView>;
}

/** @param step the running step, if one runs */
export function createViews({ models }: RunningGraph, tf: TensorApi, step: () => StepView | undefined): Views {
  const parameters = new Map<string, ParameterView>();
  const buffers = new Map<string, ParameterView>();
  for (const { node, model } of owners(models)) {
    for (const { name: own, kind, variable } of model.variables.values()) {
      const name = `${node.name}.${own}`;
      const view: ParameterView = {
        name,
        node: node.name,
        value: () => variable,
        assign(value) {
          // variables share no memory: backends may update one in place
          if (value instanceof tf.Variable) tf.tidy(() => variable.assign(tf.add(value, 0)));
          else variable.assign(value);
        },
        gradient: () => step()?.gradient(variable) ?? null,
        setGradient(value) {
          const running = step();
          if (!running) throw new Error(`${name}: there are gradients between backward and update only`);
          running.setGradient(variable, value);
        },
      };
      (kind === 'weight' || kind === 'bias' ? parameters : buffers).set(name, view);
    }
  }
  return { parameters, buffers };
}
