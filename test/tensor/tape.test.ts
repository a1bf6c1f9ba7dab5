import assert from 'node:assert/strict';
import type { Tensor, Variable } from '../../runtime/tensor/types.ts';
import { leakFree, near, onEachBackend, values } from './support.ts';

onEachBackend('tape', (get) => {
  /** A small network: two uses of one trunk, batch norm, an unused variable. */
  function network() {
    const backend = get();
    const { tf, ops } = backend;
    const variable = (k: number, ...shape: number[]) => backend.scope(() => tf.variable(values(backend, k, shape)));
    const filter = variable(1, 3, 3, 2, 4);
    const scale = variable(2, 4);
    const offset = variable(3, 4);
    const weight = variable(4, 4, 3);
    const unused = variable(5, 2);
    const fresh = () => ({
      runningMean: backend.scope(() => tf.variable(tf.zeros([4]), false)),
      runningVar: backend.scope(() => tf.variable(tf.ones([4]), false)),
    });
    const state = fresh();
    const variables = [filter, scale, offset, weight, unused];
    const trunk = (x: Tensor): Tensor => {
      const y = ops.batchNorm(ops.conv2d(x, filter, null, { padding: [1, 1] }), scale, offset, state, {
        training: true,
        relu: true,
      });
      return tf.reshape(ops.adaptiveAvgPool(ops.addRelu(y, tf.sin(y)), [1, 1]), [x.shape[0], 4]);
    };
    const loss = (): Tensor => {
      const small = trunk(values(backend, 10, [3, 4, 4, 2]));
      const large = trunk(values(backend, 11, [2, 6, 6, 2]));
      const features = ops.l2Normalize(tf.concat([large, small], 0));
      return ops.crossEntropy(ops.linear(features, weight, null), tf.tensor1d([0, 2, 1, -1, 2], 'int32'));
    };
    const dispose = () => tf.dispose([...variables, state.runningMean, state.runningVar]);
    return { variables, loss, state, dispose };
  }

  it('gives the gradients of tf.variableGrads, bit for bit', async () => {
    const backend = get();
    const { tf } = backend;
    await leakFree(backend, () => {
      const { variables, loss, dispose } = network();
      backend.scope(() => {
        const tape = backend.openTape();
        const gradients = tape.backward(loss(), variables);
        const stock = tf.variableGrads(() => loss() as never, variables);
        variables.forEach((variable, i) => {
          const want = stock.grads[variable.name] as Tensor | null;
          if (!want) assert.equal(gradients[i], null);
          else assert.deepEqual(gradients[i]!.dataSync(), want.dataSync());
        });
        assert.equal(gradients.at(-1), null, 'the loss does not depend on the last');
      });
      dispose();
    });
  });

  it('frees what it saved while it walks', () => {
    const backend = get();
    const { tf } = backend;
    const w = backend.scope(() => tf.variable(tf.zeros([1000])));
    let atTheEnd = 0;
    const first = tf.customGrad((x) => ({
      value: tf.add(x as Tensor, 1),
      gradFunc: (dy: Tensor) => {
        atTheEnd = backend.memory().bytes;
        return tf.clone(dy);
      },
    }));
    backend.scope(() => {
      const before = backend.memory().bytes;
      const tape = backend.openTape();
      let y: Tensor = first(w);
      for (let i = 0; i < 8; i++) {
        const next = tf.sigmoid(y);
        y.dispose();
        y = next;
      }
      const loss = tf.sum(y);
      y.dispose();
      const recorded = backend.memory().bytes - before;
      assert.ok(recorded >= 8 * 4000, `only ${recorded} bytes were kept for gradients`);
      tape.backward(loss, [w]);
      assert.ok(
        atTheEnd - before <= 2 * 4000,
        `${atTheEnd - before} of ${recorded} bytes were left at the last gradient`,
      );
    });
    w.dispose();
  });

  it('does not record the running statistics that the forward pass assigns', () => {
    const backend = get();
    const { loss, state, dispose } = network();
    backend.scope(() => {
      const tape = backend.openTape();
      const value = loss();
      const before = state.runningMean.dataSync();
      const [mean] = tape.backward(value, [state.runningMean]);
      assert.equal(mean, null);
      assert.deepEqual(state.runningMean.dataSync(), before);
      assert.ok(before.some((v) => v !== 0));
    });
    dispose();
  });

  it('leaves out what runs in a pause, also nested, asynchronous and with a gradient of its own', async () => {
    const backend = get();
    const { tf } = backend;
    await leakFree(backend, async () => {
      const w = backend.scope(() => tf.variable(tf.scalar(2)));
      await backend.scopeAsync(async () => {
        const tape = backend.openTape();
        const y = tf.square(w);
        const observed = tape.pause(() => tape.pause(() => tf.mul(y, w)));
        const inner = tape.pause(() => tf.variableGrads(() => tf.mul(w, w) as never, [w]));
        near(inner.grads[w.name].dataSync(), [4], 1e-6, 'gradient inside the pause');
        await tape.pause(async () => {
          await Promise.resolve();
          tf.mul(w, w);
        });
        assert.throws(() =>
          tape.pause(() => {
            throw new Error('observer');
          }),
        );
        const loss = tf.add(tf.mul(y, 3), tf.mul(observed, 0));
        const [g] = tape.backward(loss as Tensor, [w]);
        near(g!.dataSync(), [12], 1e-6, 'gradient');
      });
      w.dispose();
    });
  });

  it('leaves nothing behind after an error in the forward or the backward pass', async () => {
    const backend = get();
    const { tf } = backend;
    await leakFree(backend, () => {
      const { variables, loss, dispose } = network();
      const step = (fail: (value: Tensor) => Tensor) =>
        backend.scope(() => {
          const tape = backend.openTape();
          try {
            return tape.backward(fail(loss()), variables);
          } finally {
            tape.close();
          }
        });
      assert.throws(
        () =>
          step(() => {
            throw new Error('in the forward pass');
          }),
        /in the forward pass/,
      );
      const broken = tf.customGrad((x) => ({
        value: tf.square(x as Tensor),
        gradFunc: () => {
          throw new Error('in a gradient');
        },
      }));
      assert.throws(() => step((value) => broken(value)), /in a gradient/);
      assert.throws(() => step(() => tf.concat(variables.map((v) => tf.reshape(v, [-1])))), /one number/);
      assert.throws(
        () =>
          step((value) => tf.sum(tf.image.cropAndResize(tf.reshape(value, [1, 1, 1, 1]), [[0, 0, 1, 1]], [0], [1, 1]))),
        /CropAndResize has no gradient/,
      );
      // and the next step works
      const gradients = step((value) => value);
      tf.dispose(gradients.filter((g) => g !== null));
      dispose();
    });
  });

  it('handles a variable met many times, a variable as the loss, and gradients that are dy itself', async () => {
    const backend = get();
    const { tf } = backend;
    await leakFree(backend, () => {
      const w = backend.scope(() => tf.variable(tf.scalar(3)));
      const v = backend.scope(() => tf.variable(tf.scalar(5)));
      const gradients = (f: () => Tensor, variables: Variable[]) =>
        backend.scope(() => {
          const tape = backend.openTape();
          return tape.backward(f(), variables).map((g) => (g ? g.dataSync()[0] : null));
        });
      assert.deepEqual(
        gradients(() => tf.mul(tf.mul(w, w), tf.add(w, v)), [w, v]),
        [6 * 8 + 9, 9],
      );
      assert.deepEqual(
        gradients(() => w, [w, v]),
        [1, null],
      );
      const passing = tf.customGrad((a, b) => ({
        value: tf.add(a as Tensor, b as Tensor),
        gradFunc: (dy: Tensor) => [dy, dy],
      }));
      assert.deepEqual(
        gradients(() => tf.mul(passing(w, v), tf.add(w, v)), [w, v]),
        [16, 16],
      );
      assert.deepEqual(
        gradients(() => tf.mul(w, tf.cast(tf.greater(w, 1), 'float32')), [w]),
        [1],
        'through a comparison',
      );
      tf.dispose([w, v]);
    });
  });

  it('is one at a time, and closed for good', () => {
    const backend = get();
    const { tf } = backend;
    backend.scope(() => {
      const tape = backend.openTape();
      assert.throws(() => backend.openTape(), /open already/);
      tape.close();
      tape.close();
      assert.throws(() => tape.backward(tf.scalar(1), []), /closed/);
      const second = backend.openTape();
      second.close();
    });
  });
});

onEachBackend('scopes', (get) => {
  it('keep results in any container, free the rest, also after an error', async () => {
    const backend = get();
    const { tf } = backend;
    await leakFree(backend, () => {
      const result = backend.scope(() => {
        tf.zeros([5]);
        return { list: [tf.scalar(1)], map: new Map([['a', tf.scalar(2)]]), numbers: new Float32Array(10), self: null };
      });
      assert.equal(result.list[0].dataSync()[0] + result.map.get('a')!.dataSync()[0], 3);
      tf.dispose([result.list[0], result.map.get('a')!]);
      assert.throws(() =>
        backend.scope(() => {
          tf.zeros([5]);
          throw new Error('stop');
        }),
      );
    });
  });

  it('span asynchronous work, and end in any order', async () => {
    const backend = get();
    const { tf } = backend;
    await leakFree(backend, async () => {
      let releaseFirst = () => {};
      const first = backend.scopeAsync(async () => {
        tf.zeros([2]);
        await new Promise<void>((resolve) => {
          releaseFirst = resolve;
        });
        return tf.scalar(1);
      });
      const second = backend.scopeAsync(async () => {
        tf.zeros([3]);
        await Promise.resolve();
        return 2;
      });
      releaseFirst();
      const kept = await first;
      assert.equal(await second, 2);
      kept.dispose();
      await assert.rejects(
        backend.scopeAsync(async () => {
          tf.zeros([4]);
          await Promise.resolve();
          throw new Error('stop');
        }),
      );
    });
  });
});
