import assert from 'node:assert/strict';
import { openDevice } from '../../../runtime/pipeline/device.ts';
import { backendState, openBackend } from '../../../runtime/tensor/backend.ts';
import type { Tensor, TensorBackend } from '../../../runtime/tensor/types.ts';
import { withBackend } from '../availability.ts';
import { leakFree, near, values } from '../support.ts';

withBackend('webgpu', 'webgpu', () => {
  let backend: TensorBackend;
  before(async function () {
    this.timeout(180_000);
    backend = await openBackend('webgpu');
  });
  beforeEach(function () {
    this.timeout(180_000); // a software adapter compiles shaders for seconds
    backend.activate();
  });

  /** On the GPU: what is smaller than 1,000 values is computed on the host. */
  const large = () => backend.scope(() => backend.tf.add(values(backend, 0, [64, 64]), 1));

  it('reads at once and in time, also while another read is under way and after the tensor is gone', async () => {
    await leakFree(backend, async () => {
      const x = large();
      const y = backend.tf.mul(x, 2);
      const z = backend.tf.mul(x, 3);
      const later = [y.data(), z.data()] as const;
      y.dispose();
      const now = x.dataSync();
      const [twice, thrice] = await Promise.all(later);
      for (const i of [0, 1, 4095]) {
        assert.equal(twice[i], Math.fround(now[i] * 2));
        assert.equal(thrice[i], Math.fround(now[i] * 3));
      }
      assert.equal(await z.data(), z.dataSync(), 'kept once read');
      backend.tf.dispose([x, z]);
    });
  });

  it('timers and immediates of others go on while it waits, and none is lost', async () => {
    const order: string[] = [];
    const immediate = new Promise<void>((resolve) => {
      setImmediate(() => {
        order.push('immediate');
        resolve();
      });
    });
    backend.scope(() => void large().dataSync());
    order.push('read');
    await immediate;
    assert.deepEqual(order, ['read', 'immediate']);
    const x = large();
    await Promise.all([x.data(), backend.sync()]);
    x.dispose();
  });

  it('leaves no navigator behind: other packages take it for a browser', () => {
    assert.equal('gpu' in ((globalThis as { navigator?: object }).navigator ?? {}), false);
  });

  it('what fails on the device fails the next read, once', async () => {
    const { tf } = backend;
    const device = (tf.backend() as unknown as { device: { createBuffer(d: object): void } }).device;
    device.createBuffer({ size: 2 ** 50, usage: 128 });
    await assert.rejects(backend.sync(), /^Error: webgpu on .*(size|memory|limit).*a smaller batch_size/is);
    device.createBuffer({ size: 2 ** 50, usage: 128 });
    const x = large();
    assert.throws(() => x.dataSync(), /webgpu on /);
    assert.equal(x.dataSync().length, 4096);
    x.dispose();
    await backend.sync();
  });

  it('a tensor larger than a buffer may be is refused with its sizes', () => {
    const { tf, scope } = backend;
    scope(() => {
      const x = large();
      assert.throws(
        () => tf.tile(x, [2 ** 15, 2 ** 10]),
        /a float32 tensor \[2097152,65536\] takes 524288 MB; a buffer of .* holds \d+ MB: use a smaller batch_size/,
      );
    });
  });

  it('reversed scans of several lengths, products kept as an axis, padding of five axes, counts', () => {
    const { tf, scope } = backend;
    const onDevice = <T extends Tensor>(x: T): T => {
      const zeros = tf.slice(tf.reshape(tf.mul(large(), 0), [-1]), [0], [x.size]);
      return tf.add(tf.reshape(zeros, x.shape), x);
    };
    scope(() => {
      for (const length of [3, 5, 4]) {
        const x = onDevice(tf.range(1, length + 1));
        const sums = Array.from({ length }, (_, i) => ((length - i) * (length + i + 1)) / 2);
        near(tf.cumsum(x, 0, false, true).dataSync(), sums, 1e-6, `reversed sums of ${length}`);
        near(tf.cumsum(x, 0, true, true).dataSync(), [...sums.slice(1), 0], 1e-6, `exclusive, of ${length}`);
      }
      const ones = onDevice(tf.ones([2, 3]));
      assert.deepEqual(tf.prod(ones, 1, true).shape, [2, 1]);
      const five = onDevice(tf.ones([1, 2, 1, 2, 1]));
      const padded = tf.pad(five, [[0, 1], [1, 0], [0, 0], [0, 0], [1, 1]], 7); // biome-ignore format: one row
      assert.deepEqual(padded.shape, [2, 3, 1, 2, 3]);
      assert.equal((tf.sum(padded).dataSync()[0] - 4) / 7, 36 - 4);
      const counted = tf.bincount(tf.tensor1d([1, 0, 1, 3], 'int32'), [] as never, 4);
      assert.deepEqual([...counted.dataSync()], [1, 2, 0, 1]);
    });
  });

  it('has every kernel of cpu', async () => {
    const kernels = backend.kernels();
    const cpu = await openBackend('cpu');
    assert.deepEqual(
      [...cpu.kernels()].filter((kernel) => !kernels.has(kernel)),
      [],
    );
  });

  it('is never chosen, nor taken for a GPU, when it is software', async () => {
    const { software } = await backendState('webgpu');
    const chosen = await openDevice('auto', undefined, {});
    if (software) assert.notEqual(chosen.name, 'webgpu');
    const required = openDevice('webgpu', 'gpu', {});
    if (software) {
      await assert.rejects(required, ({ problems: [{ message }] }) =>
        /^a GPU is required, but webgpu runs on CPU by a software adapter/.test(message),
      );
    } else {
      assert.equal((await required).name, 'webgpu');
    }
  });
});
