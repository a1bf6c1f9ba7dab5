import activation from '../../../nodes/features/activation.ts';
import nll from '../../../nodes/losses/nll.ts';
import type { NodeType } from '../../../runtime/node.ts';
import type { Tensor, TensorBackend } from '../../../runtime/tensor/types.ts';
import { checkGradients, near, onEachBackend } from '../../tensor/support.ts';
import { open, step } from '../losses/recorded.ts';

onEachBackend('features/activation', (backendOf) => {
  const apply = (backend: TensorBackend, name: string, features: Tensor): Tensor => {
    const node = open(backend, activation as unknown as NodeType, { function: name });
    return (node.run({ features }, step) as unknown as { features: Tensor }).features;
  };
  const X = [-1, 0.3, 2, 0.5, -3, 1];

  it('gives the values of the functions, and their gradients', async () => {
    const backend = backendOf();
    const { tf } = backend;
    const softmax = (row: readonly number[]) => {
      const sum = row.reduce((all, x) => all + Math.exp(x), 0);
      return row.map((x) => Math.exp(x) / sum);
    };
    const byRow = (f: (row: readonly number[]) => number[]) => [...f(X.slice(0, 3)), ...f(X.slice(3))];
    const expected: Record<string, number[]> = {
      relu: X.map((x) => Math.max(x, 0)),
      sigmoid: X.map((x) => 1 / (1 + Math.exp(-x))),
      tanh: X.map(Math.tanh),
      softmax: byRow(softmax),
      log_softmax: byRow((row) => softmax(row).map(Math.log)),
    };
    for (const [name, wanted] of Object.entries(expected)) {
      const x = tf.tensor2d(X, [2, 3]);
      const y = apply(backend, name, x);
      near(await y.data(), wanted, 1e-6, name);
      checkGradients(backend, [x], (features) => apply(backend, name, features));
      tf.dispose([x, y]);
    }
  });

  it('a head, log_softmax and NLLLoss are cross entropy', async () => {
    const backend = backendOf();
    const { tf, ops } = backend;
    await backend.scopeAsync(async () => {
      const logits = tf.tensor2d(X, [2, 3]);
      const labels = tf.tensor1d([2, 0], 'int32');
      const outputs = [apply(backend, 'log_softmax', logits)];
      const { loss } = await open(backend, nll).run({ outputs, target: labels }, step);
      near(await (loss as Tensor).data(), await ops.crossEntropy(logits, labels).data(), 1e-6, 'loss');
    });
  });
});
