import assert from 'node:assert/strict';
import type { BatchNormState, Tensor, Variable } from '../../runtime/tensor/types.ts';
import { leakFree, near, onEachBackend, tapeGradients, values } from './support.ts';

onEachBackend('batch norm', (backendOf) => {
  /** Results, gradients and running statistics of f with a state of its own. */
  function run(shape: number[], f: (state: BatchNormState, ...x: Tensor[]) => Tensor, affine: boolean) {
    const backend = backendOf();
    const { tf } = backend;
    const channels = shape.at(-1)!;
    return backend.scope(() => {
      const fresh = (t: Tensor): Variable => tf.variable(t, false) as Variable;
      const state = {
        runningMean: fresh(tf.zeros([channels])),
        runningVar: fresh(tf.ones([channels])),
        batches: fresh(tf.scalar(3, 'int32')),
      };
      const shapes = [shape, shape, ...(affine ? [[channels], [channels]] : [])];
      const inputs = shapes.map((each, k) => values(backend, k, each));
      const { output, gradients } = tapeGradients(backend, inputs, (...given) => f(state, ...given));
      const kept = Object.values(state).map((variable) => Array.from(variable.dataSync()));
      tf.dispose(Object.values(state));
      return { output, gradients, kept };
    });
  }

  for (const shape of [
    [3, 5, 4, 7],
    [40, 3, 3, 16],
    [9, 130],
  ]) {
    for (const affine of [true, false]) {
      for (const training of [true, false]) {
        const how = `[${shape}]${affine ? ', scale and offset' : ''}, ${training ? 'training' : 'evaluation'}`;
        it(`with an addend is the sum and the ReLU behind it: ${how}`, async () => {
          const { ops } = backendOf();
          await leakFree(backendOf(), () => {
            const options = { training, momentum: 0.3 };
            const parts = ([scale, offset]: Tensor[]) => [scale ?? null, offset ?? null] as const;
            const joined = run(
              shape,
              (state, x, addend, ...rest) => ops.batchNorm(x, ...parts(rest), state, { ...options, addend }),
              affine,
            );
            const apart = run(
              shape,
              (state, x, addend, ...rest) => ops.addRelu(ops.batchNorm(x, ...parts(rest), state, options), addend),
              affine,
            );
            near(joined.output, apart.output, 1e-5, 'output');
            for (const [i, gradient] of joined.gradients.entries())
              near(gradient, apart.gradients[i], 1e-4, `gradient ${i}`);
            for (const [i, list] of joined.kept.entries()) near(list, apart.kept[i], 1e-5, `state ${i}`);
            assert.equal(joined.kept[2][0], training ? 4 : 3);
          });
        });
      }
    }
  }

  it('refuses an addend of another shape', () => {
    const backend = backendOf();
    const { tf, ops } = backend;
    backend.scope(() => {
      const state = {
        runningMean: tf.variable(tf.zeros([3]), false) as Variable,
        runningVar: tf.variable(tf.ones([3]), false) as Variable,
      };
      const options = { training: true, addend: tf.zeros([4, 1]) };
      assert.throws(() => ops.batchNorm(tf.ones([4, 3]), null, null, state, options), /shapes differ/);
      tf.dispose(Object.values(state));
    });
  });

  it('refuses an input without values in training', () => {
    const backend = backendOf();
    const { tf, ops } = backend;
    backend.scope(() => {
      for (const shape of [
        [0, 3],
        [4, 0],
        [2, 3, 3, 0],
      ]) {
        const state = {
          runningMean: tf.variable(tf.zeros([shape.at(-1)!]), false) as Variable,
          runningVar: tf.variable(tf.ones([shape.at(-1)!]), false) as Variable,
        };
        const x = tf.zeros(shape);
        assert.throws(() => ops.batchNorm(x, null, null, state, { training: true }), /more than one value per channel/);
        tf.dispose([state.runningMean, state.runningVar]);
      }
      return undefined;
    });
  });
});
