/** The add-on's own batch norm beside libtorch's operators. */
import assert from 'node:assert/strict';
import { openBackend } from '../../../runtime/tensor/backend.ts';
import type { Handle } from '../../../runtime/tensor/native/addon.ts';
import { formula, near } from '../support.ts';
import { type Aten, given as givenOn, read as readFrom, withTorch } from './support.ts';

withTorch('batch norm on torch', () => {
  let torch: Aten;
  before(async () => {
    await openBackend('torch');
    torch = await import('../../../runtime/tensor/backends/torch/aten.ts');
  });

  const EPS = 1e-5;
  const given = (k: number, shape: readonly number[], type?: number): Handle => givenOn(torch, k, shape, type);
  const read = (handle: Handle): Float32Array => readFrom(torch, handle);
  const fresh = (channels: number) => {
    const { scalarType, upload } = torch;
    const filled = (value: number) => upload(new Float32Array(channels).fill(value), [channels], scalarType.float32);
    return [filled(0), filled(1)] as const;
  };

  /** All that training gives: y, mean, 1 / spread, running statistics; and of the gradients dx, dScale, dOffset. */
  function ours(x: Handle, dy: Handle, addend: Handle | null, scale: Handle, offset: Handle, relu: boolean) {
    const channels = torch.addon.shape(x)[1];
    const [mean, variance] = fresh(channels);
    const own = torch.ownOperator;
    const forward = own('batch_norm')(x, addend, scale, offset, mean, variance, null, 0.1, EPS, relu);
    const [y, batchMean, invStd] = forward;
    const backward = addend
      ? own('batch_norm_add_relu_backward')(dy, x, y, scale, batchMean, invStd)
      : own('batch_norm_backward')(dy, x, scale, offset, batchMean, invStd, relu);
    return [y, batchMean, invStd, mean, variance, ...backward].map(read);
  }

  function libtorchs(x: Handle, dy: Handle, addend: Handle | null, scale: Handle, offset: Handle, relu: boolean) {
    const { aten, addon } = torch;
    const [mean, variance] = fresh(addon.shape(x)[1]);
    const [plain, batchMean, invStd] = aten('native_batch_norm')(x, scale, offset, mean, variance, true, 0.1, EPS);
    const sum = addend ? aten('add.Tensor')(plain, addend) : plain;
    const y = relu || addend ? aten('relu')(sum) : sum;
    const passed = y === sum ? dy : aten('threshold_backward')(dy, y, 0);
    const all = [true, true, true];
    const norm = aten('native_batch_norm_backward');
    const backward = norm(passed, x, scale, null, null, batchMean, invStd, true, EPS, all);
    return [y, batchMean, invStd, mean, variance, ...backward, ...(addend ? [passed] : [])].map(read);
  }

  const NAMES = ['y', 'mean', 'invStd', 'running mean', 'running variance', 'dx', 'dScale', 'dOffset', 'dAddend'];
  const shapes = [
    [2, 1],
    [5, 3],
    [70, 130],
    [300, 2048],
    [4, 3, 5, 6],
    [8, 64, 9, 9],
    [3, 100, 31, 17],
    [2, 16, 1, 1],
  ];

  for (const shape of shapes) {
    for (const then of ['nothing', 'relu', 'sum'] as const) {
      it(`[${shape}], then ${then}: libtorch’s numbers`, () => {
        torch.kernelScope(() => {
          const channels = [shape[1]];
          const addend = then === 'sum' ? given(4, shape) : null;
          const all = [given(0, shape), given(1, shape), addend, given(2, channels), given(3, channels)] as const;
          const [mine, theirs] = [ours, libtorchs].map((f) => f(...all, then === 'relu'));
          assert.equal(mine.length, theirs.length);
          for (const [i, list] of mine.entries()) near(list, theirs[i], 5e-5, NAMES[i]);
        });
      });
    }
  }

  it('bfloat16: the same within its digits', () => {
    torch.kernelScope(() => {
      const { bfloat16 } = torch.scalarType;
      const shape = [6, 24, 10, 10];
      const image = (k: number) => given(k, shape, bfloat16);
      const run = (addend: Handle | null, relu: boolean) =>
        [ours, libtorchs].map((f) => f(image(0), image(1), addend, given(2, [24]), given(3, [24]), relu));
      for (const relu of [false, true]) {
        const [mine, theirs] = run(null, relu);
        for (const [i, list] of mine.entries()) near(list, theirs[i], i === 0 || i > 4 ? 0.01 : 1e-5, NAMES[i]);
      }
      // libtorch rounds before the sum, so near 0 the ReLU may pass in one and not in the other: results alone
      const [mine, theirs] = run(image(4), false);
      near(mine[0], theirs[0], 0.01, 'y of the sum');
    });
  });

  it('keeps its digits far from 0, and lets pass what is no number', () => {
    torch.kernelScope(() => {
      const { scalarType, upload } = torch;
      const noise = formula(0, 4096);
      const far = upload(
        noise.map((v) => 10_000 + v),
        [2048, 2],
        scalarType.float32,
      );
      const [scale, offset] = [given(2, [2]), given(3, [2])];
      const [, mean, invStd] = ours(far, far, null, scale, offset, false);
      for (const c of [0, 1]) {
        const column = Float64Array.from({ length: 2048 }, (_, i) => Math.fround(10_000 + noise[2 * i + c]));
        const middle = column.reduce((a, b) => a + b) / 2048;
        const variance = column.reduce((a, b) => a + (b - middle) ** 2, 0) / 2048;
        near([mean[c]], [middle], 1e-7, 'mean');
        near([invStd[c]], [1 / Math.sqrt(variance + EPS)], 1e-5, 'invStd');
      }
      const values = formula(0, 64);
      values[40] = Number.NaN;
      const broken = upload(values, [32, 2], scalarType.float32);
      const [y] = ours(broken, broken, null, scale, offset, true);
      assert.ok(y.every((value, i) => Number.isNaN(value) === (i % 2 === 0)));
    });
  });

  it('gives the same bits for any number of threads', () => {
    const { addon } = torch;
    const before = addon.threads();
    const results = [1, 2, 3].map((threads) => {
      addon.setThreads(threads);
      return torch.kernelScope(() => {
        const shape = [8, 48, 40, 40];
        return ours(given(0, shape), given(1, shape), given(4, shape), given(2, [48]), given(3, [48]), false);
      });
    });
    addon.setThreads(before);
    assert.deepEqual(results[1], results[0]);
    assert.deepEqual(results[2], results[0]);
  });

  it('says what does not fit', () => {
    torch.kernelScope(() => {
      const { aten, scalarType } = torch;
      const run = ownRun(torch);
      const x = given(0, [4, 3]);
      assert.throws(
        () => run(aten('_to_copy')(x, scalarType.float64), null, 3),
        /pipe::batch_norm: .*float32 and bfloat16/,
      );
      assert.throws(() => run(x, given(1, [4, 2]), 3), /pipe::batch_norm: shapes differ/);
      assert.throws(() => run(x, null, 2), /one float32 for each of 3 channels/);
    });
  });

  const ownRun = (from: Aten) => (x: Handle, addend: Handle | null, channels: number) => {
    const [mean, variance] = fresh(channels);
    return from.ownOperator('batch_norm')(x, addend, null, null, mean, variance, null, 0.1, EPS, false);
  };

  it('an input without values is an error, not a crash', () => {
    torch.kernelScope(() => {
      for (const [rows, channels] of [
        [0, 3],
        [4, 0],
      ]) {
        const x = torch.upload(new Float32Array(0), [rows, channels], torch.scalarType.float32);
        const [mean, variance] = fresh(channels);
        const call = () => torch.ownOperator('batch_norm')(x, null, null, null, mean, variance, null, 0.1, EPS, false);
        assert.throws(call, /batch norm has no values/);
      }
    });
  });
});
