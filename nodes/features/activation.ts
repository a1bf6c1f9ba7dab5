import { batch, defineNode, T } from '../../runtime/node.ts';
import type { Tensor } from '../../runtime/tensor/types.ts';

/** A function of each value, or of each row: what losses over probabilities and log-probabilities need behind a head. */
export default defineNode({
  type: 'features/activation',
  description: 'Sigmoid, tanh or ReLU of each value; softmax or log-softmax of each row.',
  role: 'compute',
  params: T.Object({
    function: T.Union(
      (['relu', 'sigmoid', 'tanh', 'softmax', 'log_softmax'] as const).map((name) => T.Literal(name)),
      { description: 'which' },
    ),
  }),
  inputs: { features: batch.tensor('float32', ['N', 'D']) },
  outputs: { features: batch.tensor('float32', ['N', 'D']) },
  show: ['function'],
  create: ({ params, tf, ops }) => {
    const functions: Readonly<Record<typeof params.function, (x: Tensor) => Tensor>> = {
      relu: (x) => tf.relu(x),
      sigmoid: (x) => tf.sigmoid(x),
      tanh: (x) => tf.tanh(x),
      softmax: (x) => tf.softmax(x),
      log_softmax: (x) => ops.logSoftmax(x),
    };
    const f = functions[params.function];
    return ({ features }) => ({ features: f(features) });
  },
});
