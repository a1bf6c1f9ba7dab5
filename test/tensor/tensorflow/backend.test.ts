import assert from 'node:assert/strict';
import fc from 'fast-check';
import { openDevice } from '../../../runtime/pipeline/device.ts';
import { openBackend } from '../../../runtime/tensor/backend.ts';
import type { TensorBackend } from '../../../runtime/tensor/types.ts';
import { withBackend } from '../availability.ts';
import { convolutions } from '../convolutions.ts';
import { leakFree, near, tapeGradients, values } from '../support.ts';

withBackend('tensorflow', 'the tensorflow backend', () => {
  let backend: TensorBackend;
  let cpu: TensorBackend;
  before(async () => {
    cpu = await openBackend('cpu');
    backend = await openBackend('tensorflow');
  });
  beforeEach(() => backend.activate());

  it('has every kernel that the cpu backend has', () => {
    const missing = [...cpu.kernels()].filter((name) => !backend.kernels().has(name));
    assert.deepEqual(missing, []);
  });

  it('says where it runs, and a CPU is no GPU', async () => {
    assert.match(backend.device, /^(CPU, \d+ threads?|GPU \(.+\))$/);
    if (backend.device.startsWith('CPU')) {
      await assert.rejects(openDevice('tensorflow', 'gpu', {}), /a GPU is required, but tensorflow runs on CPU/);
    } else {
      assert.equal((await openDevice('tensorflow', 'gpu', {})).name, 'tensorflow');
    }
  });

  it('convolves any geometry as the reference does, with both gradients', () => {
    fc.assert(
      fc.property(convolutions, ({ x, filter, options }) => {
        const [own, reference] = [backend, cpu].map((one) => {
          one.activate();
          return one.scope(() =>
            tapeGradients(one, [values(one, 0, x), values(one, 1, filter)], (input, weights) =>
              one.ops.conv2d(input, weights, null, options),
            ),
          );
        });
        near(own.output, reference.output, 2e-5, 'output');
        near(own.gradients[0], reference.gradients[0], 2e-5, 'gradient of the input');
        near(own.gradients[1], reference.gradients[1], 5e-5, 'gradient of the filter');
      }),
      { numRuns: 60 },
    );
  });

  it('moves tensors from and to another backend, complex ones too', () => {
    const { tf } = backend;
    backend.scope(() => {
      cpu.activate();
      const onCpu = tf.complex([2, 3], [4, 5]);
      const plain = tf.tensor1d([1, 2]);
      backend.activate();
      const both = tf.mul(onCpu, tf.complex([1, 2], [3, 4]));
      assert.deepEqual([...tf.real(both).dataSync()], [-10, -14]);
      assert.deepEqual([...tf.imag(both).dataSync()], [10, 22]);
      const sum = tf.add(plain, 1);
      cpu.activate();
      assert.deepEqual([...tf.mul(sum, plain).dataSync()], [2, 6]);
    });
  });

  it('computes products in another precision while a piece of work runs', () => {
    const filter = values(backend, 1, [3, 3, 4, 4]);
    const x = values(backend, 0, [2, 6, 6, 4]);
    const run = () =>
      tapeGradients(backend, [x, filter], (input, weights) =>
        backend.ops.conv2d(input, weights, null, { padding: [1, 1] }),
      );
    const product = () => backend.scope(() => backend.tf.matMul([[1 / 3]], [[1]]).dataSync()[0]);
    const exact = run();
    const low = backend.withPrecision('bfloat16', () => {
      assert.equal(product(), 0.333984375);
      return run();
    });
    assert.equal(product(), Math.fround(1 / 3));
    assert.deepEqual(run(), exact);
    assert.notDeepEqual(low, exact);
    near(low.output, exact.output, 0.02, 'output');
    near(low.gradients[0], exact.gradients[0], 0.02, 'gradient of the input');
    near(low.gradients[1], exact.gradients[1], 0.02, 'gradient of the filter');
    backend.tf.dispose([x, filter]);
  });

  it('an optimizer step leaves clones and views of a parameter alone, and nothing behind', async () => {
    const { tf, ops } = backend;
    const { binding } = tf.findBackend('tensorflow') as unknown as { binding: { getNumOfTensors(): number } };
    const held = binding.getNumOfTensors();
    await leakFree(backend, () =>
      backend.scope(() => {
        const p = tf.variable(tf.tensor2d([1, 2, 3, 4], [2, 2]));
        const v = tf.variable(tf.zeros([2, 2]), false);
        const shared = [tf.clone(p), tf.reshape(p, [4])];
        for (const started of [false, true]) {
          const options = { lr: 0.1, momentum: 0.9, weightDecay: 0, nesterov: false };
          ops.sgd([p], [tf.onesLike(p)], [v], started, options);
        }
        for (const kept of shared) assert.deepEqual([...kept.dataSync()], [1, 2, 3, 4]);
        near(p.dataSync(), [0.71, 1.71, 2.71, 3.71], 1e-6, 'parameter');
        near(v.dataSync(), [1.9, 1.9, 1.9, 1.9], 1e-6, 'velocity');
        tf.dispose([p, v]);
      }),
    );
    assert.equal(binding.getNumOfTensors(), held, 'TensorFlow holds more than before');
  });

  it('an optimizer step does not write into the arrays that parameters came from', () => {
    const { tf, ops } = backend;
    const options = { lr: 0.1, momentum: 0.9, weightDecay: 0, nesterov: false };
    // TensorFlow works in the memory of an array that begins at a multiple of 64 bytes: one of these does
    for (let offset = 0; offset < 16; offset++) {
      const array = new Float32Array(256 + 16).fill(1).subarray(offset, offset + 256);
      backend.scope(() => {
        const p = tf.variable(tf.tensor1d(array));
        const v = tf.variable(tf.zeros([256]), false);
        for (const started of [false, true]) ops.sgd([p], [tf.onesLike(p)], [v], started, options);
        near(p.dataSync().slice(0, 1), [0.71], 1e-6, 'parameter');
        assert.ok(array.every((value) => value === 1));
        tf.dispose([p, v]);
      });
    }
  });

  it('errors carry what TensorFlow says', () => {
    const { tf } = backend;
    assert.throws(
      () =>
        backend.scope(() =>
          tf
            .engine()
            .runKernel(
              'Conv2D',
              { x: tf.ones([1, 2, 2, 3]), filter: tf.ones([1, 1, 2, 1]) },
              { strides: 1, pad: 'valid', dataFormat: 'NHWC', dilations: 1 },
            ),
        ),
      /depth/,
    );
  });
});
