/**
 * Where a run's number format holds, after VISSL's use of PyTorch's autocast: matrix products and convolutions of models,
 * and of whatever else takes part in the forward and backward pass of training, have it. Everything else is float32, and
 * gets what models have kept in less as float32: evaluators, clusters, meters, hooks, optimizers, computations on
 * extracted features. So do losses, whose sums and exponentials are float32 from their inputs on.
 */
import type { NodeType, Value, Values } from '../node.ts';
import type { Precision, Tensor, TensorBackend, Variable } from '../tensor/types.ts';

export interface Autocast {
  /** Run a node on its inputs; within its scope. */
  node<T>(role: NodeType['role'], training: boolean, inputs: Values, run: (inputs: Values) => T): T;
  backward<T>(walk: () => T): T;
  /** Tensors as float32 takes them; made for the running scope. */
  exact<V extends Value>(value: V): V;
  /** Put gradients in float32 in the place of these; absent where they are. */
  gradients?(gradients: Map<Variable, Tensor | null>): void;
}

const off: Autocast = {
  node: (_role, _training, inputs, run) => run(inputs),
  backward: (walk) => walk(),
  exact: (value) => value,
};

export function createAutocast({ tf, withPrecision }: TensorBackend, precision: Precision): Autocast {
  if (precision === 'float32') return off;

  const exact = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(exact);
    const isKept = value instanceof tf.Tensor && !(value instanceof tf.Variable) && value.dtype === 'float32';
    return isKept ? tf.cast(value, 'float32') : value;
  };
  return {
    node(role, training, inputs, run) {
      const low = role === 'model' || (training && (role === 'compute' || role === 'target' || role === 'loss'));
      const asTheyAre = role === 'model' || (training && role === 'compute');
      const given = asTheyAre ? inputs : exactOf(inputs);
      return low ? withPrecision(precision, () => run(given)) : run(given);
    },
    backward: (walk) => withPrecision(precision, walk),
    exact: (value) => exact(value) as typeof value,
    gradients(gradients) {
      for (const [variable, gradient] of gradients) {
        if (!gradient) continue;
        gradients.set(variable, tf.cast(gradient, 'float32'));
        gradient.dispose();
      }
    },
  };

  function exactOf(inputs: Values): Values {
    return Object.fromEntries(Object.entries(inputs).map(([port, value]) => [port, exact(value)]));
  }
}
