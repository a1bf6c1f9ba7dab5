import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import type { Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import { openBackend } from '../../../runtime/tensor/backend.ts';
import type { Addon } from '../../../runtime/tensor/native/addon.ts';
import type { SgdOptions, Tensor, TensorBackend, Variable } from '../../../runtime/tensor/types.ts';
import { checkGradients, near, tapeGradients, values } from '../support.ts';
import { withTorch } from './support.ts';

const plain: SgdOptions = { lr: 0.1, momentum: 0.9, weightDecay: 0, nesterov: false };

withTorch('the torch backend', () => {
  let backend: TensorBackend;
  let addon: Addon;
  let setPrecision: (precision: 'float32' | 'bfloat16' | 'float16') => void;
  before(async () => {
    backend = await openBackend('torch');
    ({ addon } = await import('../../../runtime/tensor/backends/torch/aten.ts'));
    ({ setPrecision } = await import('../../../runtime/tensor/backends/torch/precision.ts'));
  });
  beforeEach(() => backend.activate());

  it('has every kernel that the cpu backend has', async () => {
    const cpu = await openBackend('cpu');
    const missing = [...cpu.kernels()].filter((name) => !backend.kernels().has(name));
    assert.deepEqual(missing, []);
    backend.activate();
  });

  it('computes in another precision while a piece of work runs, and in float32 after it, whatever became of it', async () => {
    const product = () => backend.scope(() => backend.tf.matMul([[1 / 3]], [[1]]).dataSync()[0]);
    const [rounded, exact] = [0.333984375, Math.fround(1 / 3)];
    const later = backend.withPrecision('bfloat16', async () => {
      await new Promise(setImmediate);
      return [product(), backend.withPrecision('float32', product), product()];
    });
    assert.equal(product(), rounded, 'until the promise is done');
    assert.deepEqual(await later, [rounded, exact, rounded]);
    assert.equal(product(), exact);
    const fail = () => {
      throw new Error('work failed');
    };
    assert.throws(() => backend.withPrecision('bfloat16', fail), /work failed/);
    assert.equal(product(), exact);
    await assert.rejects(
      backend.withPrecision('bfloat16', async () => fail()),
      /work failed/,
    );
    assert.equal(product(), exact);
    await backend.sync();
  });

  it('takes values kept in bfloat16 for what they are: products of them in float32 are whole, and a cast gives float32', () => {
    const { tf, ops } = backend;
    backend.scope(() => {
      const [a, b] = [values(backend, 0, [8, 16]), values(backend, 1, [16, 8])];
      const kept = backend.withPrecision('bfloat16', () => tf.matMul(a as Tensor2D, b as Tensor2D));
      const asFloats = tf.tensor2d(kept.dataSync(), [8, 8]);
      assert.deepEqual(tf.matMul(kept, kept).dataSync(), tf.matMul(asFloats, asFloats).dataSync());
      const filter = values(backend, 2, [1, 1, 8, 4]);
      const convolved = (x: Tensor) => ops.conv2d(tf.reshape(x, [1, 8, 1, 8]), filter, null).dataSync();
      assert.deepEqual(convolved(kept), convolved(asFloats));
      const third = (x: Tensor) => tf.mul(x, 1 / 3).dataSync();
      assert.notDeepEqual(third(kept), third(asFloats), 'values were not kept in bfloat16');
      assert.deepEqual(third(tf.cast(kept, 'float32')), third(asFloats));
    });
  });

  it('lets OpenMP’s threads sleep where others want the cores, unless the user has said how they wait', () => {
    const opened = (options: object, environment: NodeJS.ProcessEnv = {}) => {
      const { OMP_WAIT_POLICY: _, ...env } = process.env;
      const program = `
        const { openBackend } = await import('./runtime/tensor/backend.ts');
        await openBackend('torch', ${JSON.stringify(options)});
        console.log(String(process.env.OMP_WAIT_POLICY));`;
      const args = ['--import=tsx', '--input-type=module', '-e', program];
      return execFileSync(process.execPath, args, { encoding: 'utf8', env: { ...env, ...environment } }).trim();
    };
    assert.equal(opened({ crowded: true }), 'passive');
    assert.equal(opened({}), 'undefined');
    assert.equal(opened({ crowded: true }, { OMP_WAIT_POLICY: 'active' }), 'active');
  }).timeout(180_000);

  it('moves tensors from and to another backend', async () => {
    const { tf } = backend;
    const mine = tf.tensor2d([
      [1, 2],
      [3, 4],
    ]);
    const cpu = await openBackend('cpu');
    const onCpu = tf.add(mine, 1);
    backend.activate();
    assert.deepEqual(tf.mul(mine, onCpu).arraySync(), [
      [2, 6],
      [12, 20],
    ]);
    cpu.activate();
    assert.deepEqual(tf.mul(mine, onCpu).arraySync(), [
      [2, 6],
      [12, 20],
    ]);
    backend.activate();
    tf.dispose([mine, onCpu]);
  });

  it('an update in place leaves clones and views of a parameter alone', () => {
    const { tf, ops } = backend;
    backend.scope(() => {
      for (const share of [
        (v: Variable) => tf.clone(v),
        (v: Variable) => tf.reshape(v, [4]),
        (v: Variable) => tf.slice(v, [0, 0], [2, 1]),
      ]) {
        const p = tf.variable(
          tf.tensor2d([
            [1, 2],
            [3, 4],
          ]),
        );
        const velocity = tf.variable(tf.zeros([2, 2]), false);
        const shared = share(p as Variable);
        const before = shared.arraySync();
        ops.sgd([p as Variable], [tf.onesLike(p)], [velocity as Variable], false, plain);
        assert.deepEqual(shared.arraySync(), before);
        near(p.dataSync(), [0.9, 1.9, 2.9, 3.9], 1e-6, 'parameter');
        tf.dispose([p, velocity]);
      }
      const runningMean = tf.variable(tf.zeros([2]), false) as Variable;
      const runningVar = tf.variable(tf.ones([2]), false) as Variable;
      const kept = tf.clone(runningMean);
      ops.batchNorm(values(backend, 0, [8, 2]), null, null, { runningMean, runningVar }, { training: true });
      assert.deepEqual(kept.arraySync(), [0, 0]);
      assert.notDeepEqual(runningMean.arraySync(), [0, 0]);
      tf.dispose([runningMean, runningVar]);
    });
  });

  it('a filter that convolutions have rearranged still reads and updates in its own order', () => {
    const { tf, ops } = backend;
    backend.scope(() => {
      const start = values(backend, 1, [3, 3, 2, 4]);
      const filter = tf.variable(start) as Variable;
      ops.conv2d(values(backend, 0, [1, 5, 5, 2]), filter, null);
      assert.deepEqual(filter.dataSync(), start.dataSync());
      const gradient = values(backend, 2, [3, 3, 2, 4]);
      const velocity = tf.variable(tf.zerosLike(start), false) as Variable;
      ops.sgd([filter], [gradient], [velocity], false, plain);
      near(filter.dataSync(), tf.sub(start, tf.mul(gradient, 0.1)).dataSync(), 1e-6, 'filter');
      near(velocity.dataSync(), gradient.dataSync(), 1e-6, 'velocity');
      const kept = [tf.clone(filter), tf.reshape(filter, [72]), tf.slice(filter, [0, 0, 0, 0], [1, 3, 2, 4])];
      const before = kept.map((tensor) => tensor.arraySync());
      ops.sgd([filter], [gradient], [velocity], true, plain);
      assert.deepEqual(
        kept.map((tensor) => tensor.arraySync()),
        before,
        'an update leaves what else reads the filter alone',
      );
      near(filter.dataSync(), tf.sub(start, tf.mul(gradient, 0.29)).dataSync(), 1e-6, 'filter, second step');
      tf.dispose([filter, velocity]);
    });
  });

  it('a small slice does not keep the large tensor', () => {
    const { tf } = backend;
    const [before] = addon.memory();
    const small = backend.scope(() => {
      const large = tf.zeros([1024, 4096]);
      return [
        tf.slice(large, [0, 0], [1, 4096]),
        ...tf.unstack(tf.slice(large, [0, 0], [2, 4096])),
        ...tf.split(large, 64).slice(0, 1),
      ];
    });
    assert.ok(addon.memory()[0] - before < 2 ** 20, `${addon.memory()[0] - before} bytes are kept`);
    tf.dispose(small);
    assert.equal(addon.memory()[0], before);
  });

  it('an index out of range is refused, not counted from the end', () => {
    const { tf } = backend;
    const x = tf.tensor1d([1, 2, 3]);
    assert.throws(() => tf.gather(x, tf.tensor1d([-1], 'int32')), /index value -1 is not in \[0, 2\]/);
    assert.throws(() => tf.gather(x, tf.tensor1d([3], 'int32')), /index value 3 is not in \[0, 2\]/);
    x.dispose();
  });

  it('convolves like the composed kernels, also where an axis is 1 and libtorch may take either order', async () => {
    const { convKernels } = await import('../../../runtime/tensor/backends/torch/fused/conv.ts');
    const { composedConv } = await import('../../../runtime/tensor/composed/conv.ts');
    const { convGeometry } = await import('../../../runtime/tensor/geometry.ts');
    const check = (n: number, c: number, o: number, side: number, k: number, stride: number, groups: number) =>
      backend.scope(() => {
        const [x, filter] = [values(backend, 0, [n, side, side, c]), values(backend, 1, [k, k, c / groups, o])];
        const g = convGeometry(x.shape, filter.shape, { stride: [stride, stride], padding: [1, 1], groups });
        const dy = values(backend, 2, g.output);
        const what = `[${x.shape}] by [${filter.shape}] stride ${stride} groups ${groups}`;
        const same = (f: (kernels: typeof composedConv) => Tensor) =>
          near(f(convKernels).dataSync(), f(composedConv).dataSync(), 1e-5, what);
        same((kernels) => kernels.conv2d(x, filter, null, g));
        same((kernels) => kernels.conv2dInputGrad(dy, filter, g));
        same((kernels) => kernels.conv2dFilterGrad(x, dy, g));
      });
    const threads = addon.threads();
    for (const count of [1, 2]) {
      addon.setThreads(count); // libtorch takes other ways for one thread
      for (const n of [1, 2]) {
        for (const [c, o] of [
          [1, 1],
          [1, 4],
          [2, 1],
          [4, 2],
        ]) {
          for (const side of [1, 2, 5]) {
            for (const stride of [1, 2]) {
              check(n, c, o, side, 3, stride, 1);
              if (o % c === 0) check(n, c, o, side, 3, stride, c);
            }
            check(n, c, o, side, 1, 1, 1);
          }
        }
      }
    }
    addon.setThreads(threads);
  });

  it('normalises with and without scale and offset', () => {
    const { tf, ops } = backend;
    const at = (k: number, ...shape: number[]) => values(backend, k, shape);
    backend.scope(() => {
      for (const [withScale, withOffset] of [
        [false, false],
        [true, false],
        [false, true],
      ]) {
        const given = [at(0, 2, 3, 3, 2), ...(withScale ? [at(1, 2)] : []), ...(withOffset ? [at(2, 2)] : [])];
        const split = (rest: Tensor[]) => [withScale ? rest[0] : null, withOffset ? rest.at(-1)! : null] as const;
        checkGradients(backend, given, (x, ...rest) => ops.layerNorm2d(x, ...split(rest)));
        checkGradients(backend, given, (x, ...rest) => {
          const runningMean = tf.variable(tf.zeros([2]), false) as Variable;
          const runningVar = tf.variable(tf.ones([2]), false) as Variable;
          const y = ops.batchNorm(x, ...split(rest), { runningMean, runningVar }, { training: true });
          tf.dispose([runningMean, runningVar]);
          return y;
        });
      }
    });
  });

  it('training steps leave no handles and no bytes', () => {
    const { tf, ops } = backend;
    const filter = tf.variable(values(backend, 1, [3, 3, 3, 8])) as Variable;
    const scale = tf.variable(tf.ones([8])) as Variable;
    const variables = [filter, scale];
    const velocities = variables.map((v) => backend.scope(() => tf.variable(tf.zerosLike(v), false) as Variable));
    const state = {
      runningMean: backend.scope(() => tf.variable(tf.zeros([8]), false) as Variable),
      runningVar: backend.scope(() => tf.variable(tf.ones([8]), false) as Variable),
    };
    const images = values(backend, 0, [4, 8, 8, 3]);
    const labels = tf.tensor1d([0, 1, 2, 3], 'int32');
    const step = (started: boolean) =>
      backend.scope(() => {
        const tape = backend.openTape();
        const y = ops.batchNorm(ops.conv2d(images, filter, null), scale, null, state, { training: true, relu: true });
        const pooled = ops.maxPool(ops.addRelu(y, y), { kernel: [2, 2] });
        const features = tf.reshape(ops.adaptiveAvgPool(ops.layerNorm2d(pooled, null, null), [1, 1]), [4, 8]);
        const gradients = tape.backward(ops.crossEntropy(features, labels), variables) as Tensor[];
        ops.sgd(variables, gradients, velocities, started, plain);
      });
    const held = () => [addon.live(), addon.memory()[0], tf.memory().numTensors];
    step(false);
    const after = held();
    for (let i = 0; i < 3; i++) step(true);
    assert.deepEqual(held(), after);
    tf.dispose([...variables, ...velocities, ...Object.values(state), images, labels]);
  });

  it('a failed kernel leaves no handles', () => {
    const { tf } = backend;
    const [a, b] = [tf.zeros([2, 3]), tf.zeros([4, 5])];
    const live = addon.live();
    assert.throws(() => tf.engine().runKernel('BatchMatMul', { a, b }, { transposeA: true }), /inner shapes/);
    assert.throws(() => tf.engine().runKernel('Add', { a, b }), /aten::add\.Tensor/);
    assert.equal(addon.live(), live);
    tf.dispose([a, b]);
  });

  describe('in bfloat16', () => {
    before(() => setPrecision('bfloat16'));
    after(() => setPrecision('float32'));

    const network = (x: Tensor, w: Tensor, scale: Tensor, fc: Tensor): Tensor => {
      const { tf, ops } = backend;
      const runningMean = tf.variable(tf.zeros([8]), false) as Variable;
      const runningVar = tf.variable(tf.ones([8]), false) as Variable;
      const y = ops.batchNorm(
        ops.conv2d(x, w, null, { padding: [1, 1] }),
        scale,
        null,
        { runningMean, runningVar },
        { training: true, relu: true },
      );
      tf.dispose([runningMean, runningVar]);
      const features = tf.reshape(ops.adaptiveAvgPool(ops.maxPool(y, { kernel: [2, 2] }), [1, 1]), [4, 8]);
      return ops.linear(features, fc, null);
    };

    it('values and gradients are float32 to tfjs and near those of float32', () => {
      backend.scope(() => {
        const at = (k: number, ...shape: number[]) => values(backend, k, shape);
        const inputs = [at(0, 4, 8, 8, 3), at(1, 3, 3, 3, 8), at(2, 8), at(3, 8, 5)];
        const low = tapeGradients(backend, inputs, network);
        setPrecision('float32');
        const full = tapeGradients(backend, inputs, network);
        setPrecision('bfloat16');
        assert.notDeepEqual(low.output, full.output, 'it ran in float32');
        near(low.output, full.output, 0.03, 'output');
        for (const [i, gradient] of low.gradients.entries()) near(gradient, full.gradients[i], 0.1, `gradient ${i}`);
      });
    });

    it('sums are taken in float32', () => {
      const { tf, ops } = backend;
      backend.scope(() => {
        const ones = ops.conv2d(tf.ones([1, 64, 64, 8]), tf.ones([1, 1, 8, 8]), null); // 8 everywhere, kept in bfloat16
        assert.equal(tf.sum(ones).dataSync()[0], 8 * 64 * 64 * 8);
        assert.equal(tf.mean(ones).dataSync()[0], 8);
      });
    });

    it('the gradient of a filter is zero where it meets padding alone, whatever lies in memory', () => {
      const { tf, ops } = backend;
      const [x, filter] = [values(backend, 0, [32, 1, 1, 32]), values(backend, 1, [3, 3, 32, 64])];
      const options = { stride: [2, 2], padding: [1, 1] } as const;
      const gradient = () => {
        // what is freed here is found there
        backend.scope(() => Array.from({ length: 8 }, () => tf.fill([9, 32, 64], 1e30)));
        return tapeGradients(backend, [x, filter], (x, filter) => ops.conv2d(x, filter, null, options)).gradients[1];
      };
      setPrecision('float32');
      const full = gradient();
      setPrecision('bfloat16');
      for (let i = 0; i < 5; i++) near(gradient(), full, 0.1, 'gradient');
      const plain = tapeGradients(backend, [x, filter], (x, filter) =>
        tf.conv2d(
          x as Tensor4D,
          filter as Tensor4D,
          [2, 2],
          [
            [0, 0],
            [1, 1],
            [1, 1],
            [0, 0],
          ],
        ),
      );
      near(plain.gradients[1], full, 0.1, 'gradient by tfjs');
      tf.dispose([x, filter]);
    });

    it('a changed filter is cast again', () => {
      const { tf, ops } = backend;
      backend.scope(() => {
        const x = tf.ones([1, 2, 2, 1]);
        const filter = tf.variable(tf.ones([1, 1, 1, 1])) as Variable;
        const velocity = tf.variable(tf.zeros([1, 1, 1, 1]), false) as Variable;
        assert.equal(ops.conv2d(x, filter, null).dataSync()[0], 1);
        ops.sgd([filter], [tf.onesLike(filter)], [velocity], false, { ...plain, lr: 0.5 });
        assert.equal(ops.conv2d(x, filter, null).dataSync()[0], 0.5);
        tf.dispose([filter, velocity]);
      });
    });
  });

  it('float16 works or is refused with a way out, and float32 stays', () => {
    const { tf } = backend;
    try {
      setPrecision('float16');
    } catch (error) {
      assert.match((error as Error).message, /has no float16 convolutions on cpu \(.*\): use float32$/s);
    } finally {
      setPrecision('float32');
    }
    backend.scope(() => assert.equal(tf.matMul([[1 / 3]], [[1]]).dataSync()[0], Math.fround(1 / 3)));
  });
});
