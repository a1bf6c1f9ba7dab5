import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SgdOptions, Tensor, TensorBackend } from '../../runtime/tensor/types.ts';
import { checkGradients, formula, leakFree, near, onEachBackend, values } from './support.ts';

const oracles = process.env.ORACLES ?? 'test/oracles/cases';

onEachBackend('fused operations', (get) => {
  it('topk: the lower index wins a tie, gradients go to the places picked', async () => {
    const backend = get();
    const { tf, ops } = backend;
    await leakFree(backend, () => {
      const x = tf.tensor2d([
        [1, 3, 3, 0, 3],
        [2, 2, 2, 2, 2],
        [-1, -5, 0, 7, 0],
      ]);
      const { values: top, indices } = ops.topk(x, 3);
      assert.deepEqual(top.arraySync(), [
        [3, 3, 3],
        [2, 2, 2],
        [7, 0, 0],
      ]);
      assert.deepEqual(indices.arraySync(), [
        [1, 2, 4],
        [0, 1, 2],
        [3, 2, 4],
      ]);
      assert.equal(indices.dtype, 'int32');
      tf.dispose([x, top, indices]);
      const random = values(backend, 0, [3, 8]);
      checkGradients(backend, [random], (t) => ops.topk(t, 3).values);
      random.dispose();
    });
    assert.throws(() => ops.topk(tf.zeros([2, 3]), 4), /between 1 and 3/);
  });

  it('topk: long rows with many ties', () => {
    const backend = get();
    const { ops } = backend;
    backend.scope(() => {
      const { tf } = backend;
      const x = tf.floor(tf.mul(values(backend, 3, [4, 500]), 5));
      const { indices } = ops.topk(x, 200);
      const rows = x.arraySync() as number[][];
      const want = rows.map((row) =>
        row
          .map((value, index) => ({ value, index }))
          .sort((a, b) => b.value - a.value || a.index - b.index)
          .slice(0, 200)
          .map(({ index }) => index),
      );
      assert.deepEqual(indices.arraySync(), want);
    });
  });

  it('rows are written where they belong, and clones keep the old ones', async () => {
    const backend = get();
    const { tf, ops } = backend;
    const variable = (tensor: Tensor) => tf.tidy(() => tf.variable(tensor));
    await leakFree(backend, () => {
      const variables = backend.scope(() => {
        const table = variable(values(backend, 0, [2, 3, 4]));
        const before = table.clone();
        const expected = [...formula(0, 24)];
        ops.writeRows(table, Int32Array.of(4, 0), tf.tensor2d([-1, 2, -3, 4, 5, -6, 7, -8], [2, 4]));
        expected.splice(16, 4, -1, 2, -3, 4);
        expected.splice(0, 4, 5, -6, 7, -8);
        assert.deepEqual([...table.dataSync()], expected);
        assert.deepEqual([...before.dataSync()], [...formula(0, 24)]);
        const turned = variable(tf.transpose(tf.tensor2d([1, 2, 3, 4], [2, 2])));
        ops.writeRows(turned, Int32Array.of(1), tf.tensor2d([8, 9], [1, 2]));
        assert.deepEqual([...turned.dataSync()], [1, 3, 8, 9]);
        const numbers = variable(tf.tensor1d([5, 6, 7], 'int32'));
        ops.writeRows(numbers, Int32Array.of(2, 1), tf.tensor1d([-4, 2 ** 30], 'int32'));
        assert.deepEqual([...numbers.dataSync()], [5, 2 ** 30, -4]);
        ops.writeRows(numbers, new Int32Array(0), tf.zeros([0], 'int32'));
        assert.throws(() => ops.writeRows(numbers, Int32Array.of(3), tf.tensor1d([1], 'int32')), /row 3 lies outside/);
        assert.throws(() => ops.writeRows(numbers, Int32Array.of(0), tf.tensor1d([1])), /cannot be written to int32/);
        assert.throws(() => ops.writeRows(table, Int32Array.of(0), tf.zeros([1, 3])), /cannot be written/);
        return [table, turned, numbers];
      });
      for (const one of variables) one.dispose();
    });
  });

  it('gradients agree with differences', () => {
    const backend = get();
    const { tf, ops } = backend;
    const at = (k: number, ...shape: number[]) => values(backend, k, shape);
    backend.scope(() => {
      checkGradients(backend, [at(0, 1, 4, 5, 2), at(1, 3, 3, 2, 3)], (x, w) =>
        ops.conv2d(x, w, null, { padding: [1, 1], stride: [2, 1] }),
      );
      checkGradients(backend, [at(0, 4, 3), at(1, 3), at(2, 3)], (x, scale, offset) => {
        const state = { runningMean: tf.variable(tf.zeros([3])), runningVar: tf.variable(tf.ones([3])) };
        const y = ops.batchNorm(x, scale, offset, state, { training: true });
        tf.dispose([state.runningMean, state.runningVar]);
        return y;
      });
      checkGradients(backend, [at(0, 2, 3, 3, 2), at(1, 2), at(2, 2)], (x, s, o) => ops.layerNorm2d(x, s, o));
      checkGradients(backend, [at(0, 4, 6)], (x) => ops.l2Normalize(x));
      checkGradients(backend, [at(0, 1, 5, 5, 2)], (x) =>
        ops.avgPool(x, { kernel: [3, 3], padding: [1, 1], ceil: true }),
      );
      checkGradients(backend, [at(0, 1, 5, 7, 2)], (x) => ops.adaptiveAvgPool(x, [2, 3]));
      checkGradients(backend, [at(0, 4, 6)], (x) => ops.logSoftmax(x));
    });
  });

  it('batch norm without scale and offset, and its error for a single value', () => {
    const backend = get();
    const { tf, ops } = backend;
    backend.scope(() => {
      const state = { runningMean: tf.variable(tf.zeros([3])), runningVar: tf.variable(tf.ones([3])) };
      const y = ops.batchNorm(values(backend, 0, [8, 3]), null, null, state, { training: true });
      near(tf.mean(y, 0).dataSync(), [0, 0, 0], 1e-6, 'mean');
      near(tf.mean(tf.square(y), 0).dataSync(), [1, 1, 1], 1e-4, 'variance');
      assert.throws(
        () => ops.batchNorm(values(backend, 0, [1, 3]), null, null, state, { training: true }),
        /more than one value per channel/,
      );
      tf.dispose([state.runningMean, state.runningVar]);
    });
  });

  it('all labels ignored: not a number, as in PyTorch', () => {
    const { tf, ops, scope } = get();
    scope(() => {
      const loss = ops.crossEntropy(tf.ones([2, 3]), tf.tensor1d([-1, -1], 'int32'));
      assert.ok(Number.isNaN(loss.dataSync()[0]));
    });
  });

  it('noGrad: no gradient flows, temporaries are freed, the tape goes on', async () => {
    const backend = get();
    const { tf, ops } = backend;
    await leakFree(backend, () => {
      const w = backend.scope(() => tf.variable(tf.scalar(3)));
      backend.scope(() => {
        const tape = backend.openTape();
        const stopped = ops.noGrad(() => tf.mul(tf.square(w), 1));
        const [g] = tape.backward(tf.mul(w, stopped), [w]);
        near(g!.dataSync(), [9], 1e-6, 'gradient');
      });
      w.dispose();
    });
  });

  it('says what does not fit', () => {
    const { tf, ops, scope } = get();
    scope(() => {
      const x = tf.zeros([1, 4, 4, 3]);
      assert.throws(() => ops.conv2d(x, tf.zeros([3, 3, 2, 4]), null), /1,4,4,3.*3,3,2,4.*2 input channels/s);
      assert.throws(() => ops.conv2d(x, tf.zeros([5, 5, 3, 4]), null), /smaller than the filter/);
      assert.throws(() => ops.maxPool(x, { kernel: [2, 2], padding: [2, 2] }), /more than half the kernel/);
      const state = { runningMean: tf.variable(tf.zeros([3])), runningVar: tf.variable(tf.ones([3])) };
      assert.throws(() => ops.batchNorm(x, tf.ones([4]), null, state, { training: false }), /1,4,4,3.*\[4\]/);
      const options = { lr: 1, momentum: 0, weightDecay: 0, nesterov: false };
      const { runningMean: p, runningVar: v } = state;
      assert.throws(() => ops.sgd([p], [tf.ones([2])], [v], false, options), /\[3\] with \[2\]/);
      tf.dispose([p, v]);
      assert.throws(() => ops.addRelu(x, tf.zeros([1, 4, 4, 1])), /shapes differ/);
      assert.throws(() => ops.crossEntropy(tf.zeros([3, 4]), tf.zeros([2], 'int32')), /\[3,4\].*\[2\]/);
    });
  });
});

interface OptimizerCase {
  params: {
    lr?: number;
    lr_per_step?: number[];
    momentum: number;
    weight_decay: number;
    nesterov: boolean;
    larc_config?: LarcConfig;
  };
  inputs: { params: Plain[]; grads: Plain[][] };
  outputs: { params_after: Plain[][] };
  tolerance: number;
}
interface LarcConfig {
  clip: boolean;
  eps: number;
  trust_coefficient: number;
}
interface Plain {
  shape: number[];
  data: number[];
}

function optimizerCases(name: string): OptimizerCase[] {
  return JSON.parse(readFileSync(join(oracles, 'optimizers', name), 'utf8')).cases;
}

function runSgd(backend: TensorBackend, { params, inputs, outputs, tolerance }: OptimizerCase): void {
  const { tf, ops } = backend;
  const tensor = ({ shape, data }: Plain): Tensor => tf.tensor(data, shape, 'float32');
  const larc = params.larc_config;
  const options: Omit<SgdOptions, 'lr'> = {
    momentum: params.momentum,
    weightDecay: params.weight_decay,
    nesterov: params.nesterov,
    larc: larc && { clip: larc.clip, eps: larc.eps, trustCoefficient: larc.trust_coefficient },
  };
  backend.scope(() => {
    const parameters = inputs.params.map((p) => tf.variable(tensor(p)));
    const velocities = parameters.map((p) => tf.variable(tf.zerosLike(p)));
    inputs.grads.forEach((gradients, step) => {
      const lr = params.lr_per_step?.[step] ?? params.lr!;
      ops.sgd(parameters, gradients.map(tensor), velocities, step > 0, { ...options, lr });
      parameters.forEach((p, i) => {
        near(p.dataSync(), outputs.params_after[step][i].data, tolerance, `step ${step}, parameter ${i}`);
      });
    });
    tf.dispose([...parameters, ...velocities]);
  });
}

onEachBackend('sgd', (get) => {
  for (const name of ['sgd.json', 'larc.json']) {
    optimizerCases(name).forEach((one, i) => {
      it(`gives the reference values of ${name}, case ${i}`, async () => {
        await leakFree(get(), () => runSgd(get(), one));
      });
    });
  }

  it('is seen by products and convolutions that ran with the parameter before', () => {
    const backend = get();
    const { tf, ops } = backend;
    backend.scope(() => {
      const weight = tf.variable(tf.ones([2, 3]));
      const filter = tf.variable(tf.ones([1, 1, 2, 3]));
      const depthwise = tf.variable(tf.ones([1, 1, 1, 2]));
      const map = tf.ones([1, 2, 2, 2]);
      const results = () => [
        ops.linear(tf.ones([1, 2]), weight, null).dataSync()[0],
        ops.conv2d(map, filter, null).dataSync()[0],
        (tf.conv2d(map as never, filter as never, 1, 'valid') as Tensor).dataSync()[0],
        ops.conv2d(map, depthwise, null, { groups: 2 }).dataSync()[0],
      ];
      const parameters = [weight, filter, depthwise];
      const velocities = parameters.map((p) => tf.variable(tf.zerosLike(p)));
      const gradients = parameters.map((p) => tf.onesLike(p));
      const options = { lr: 1, momentum: 0.5, weightDecay: 0, nesterov: false };
      assert.deepEqual(results(), [2, 2, 2, 1]);
      ops.sgd(parameters, gradients, velocities, false, options);
      assert.deepEqual(results(), [0, 0, 0, 0]);
      ops.sgd(parameters, gradients, velocities, true, options);
      assert.deepEqual(results(), [-3, -3, -3, -1.5]);
      tf.dispose([...parameters, ...velocities]);
    });
  });

  it('leaves values that another tensor shares alone', () => {
    const backend = get();
    const { tf, ops } = backend;
    backend.scope(() => {
      const student = tf.variable(tf.tensor1d([1, 2, 3, 4, 5]));
      const teacher = tf.variable(tf.zeros([5]));
      teacher.assign(student);
      const velocity = tf.variable(tf.zeros([5]));
      ops.sgd([student], [tf.ones([5])], [velocity], false, { lr: 1, momentum: 0.9, weightDecay: 0, nesterov: false });
      near(student.dataSync(), [0, 1, 2, 3, 4], 1e-7, 'student');
      near(teacher.dataSync(), [1, 2, 3, 4, 5], 1e-7, 'teacher');
      tf.dispose([student, teacher, velocity]);
    });
  });
});
