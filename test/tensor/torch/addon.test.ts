import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Addon, Handle, Operator } from '../../../runtime/tensor/native/addon.ts';
import { addonPath } from '../../../runtime/tensor/native/cache.ts';
import { locateLibtorch } from '../../../runtime/tensor/native/locate.ts';
import { withTorch } from './support.ts';

const FLOAT = 6;

withTorch('the libtorch add-on', () => {
  let addon: Addon;
  let add: Operator;
  const made: Handle[] = [];
  const upload = (values: number[], shape = [values.length]): Handle => {
    made.push(addon.fromBuffer(Float32Array.from(values), shape, FLOAT, 'cpu'));
    return made.at(-1)!;
  };
  const download = (handle: Handle, size: number): number[] => {
    const values = new Float32Array(size);
    addon.readInto(handle, values);
    return [...values];
  };

  before(async () => {
    ({ addon } = await import('../../../runtime/tensor/backends/torch/aten.ts'));
    add = addon.bind('aten::add', 'Tensor')!;
  });
  let live: number;
  beforeEach(() => {
    live = addon.live();
  });
  afterEach(() => {
    for (const handle of made.splice(0)) addon.release(handle);
    assert.equal(addon.live(), live, 'handles are left behind');
  });

  it('calls an operator by its schema, with defaults and alpha', () => {
    const [a, b] = [upload([1, 2]), upload([10, 20])];
    for (const [alpha, want] of [
      [undefined, [11, 22]],
      [0.5, [6, 12]],
    ] as const) {
      const sum = add(a, b, alpha);
      made.push(sum);
      assert.deepEqual(download(sum, 2), want);
    }
    assert.match(
      addon.schema('aten::add', 'Tensor')!,
      /^aten::add\.Tensor\(Tensor self, Tensor other, \*, Scalar alpha=1\)/,
    );
  });

  it('has no operator that libtorch has not', () => {
    assert.equal(addon.bind('aten::no_such_thing', ''), null);
    assert.equal(addon.schema('aten::add', 'NoSuchOverload'), null);
  });

  it('refuses a released handle, also after its slot is used again', () => {
    const first = addon.fromBuffer(Float32Array.of(1), [1], FLOAT, 'cpu');
    addon.release(first);
    const stale = new RegExp(`tensor handle ${first} was released or never existed`);
    assert.throws(() => addon.shape(first), stale);
    const second = upload([2]);
    assert.notEqual(second, first);
    assert.equal(second % 2 ** 24, first % 2 ** 24, 'the slot is used again');
    assert.throws(() => add(first, second), stale);
    assert.throws(() => addon.release(first), stale);
    assert.throws(() => addon.shape(-1), /never existed/);
    assert.throws(() => addon.shape(1e300), /never existed/);
  });

  it('names the operator and the argument in every error', () => {
    const [a, b] = [upload([1, 2, 3]), upload([1, 2])];
    assert.throws(() => add(a), /^Error: aten::add\.Tensor: argument 'other' is missing$/);
    assert.throws(() => add(a, 'x'), /aten::add\.Tensor: argument 'other': expected a tensor handle/);
    assert.throws(() => add(a, b, 1, 2), /takes 3 arguments, not 4/);
    assert.throws(
      () => addon.bind('aten::permute', '')!(a, [0.5]),
      /aten::permute: argument 'dims': expected an integer, not 0\.5/,
    );
    assert.throws(() => add(a, b), {
      code: 'TORCH',
      message: /^aten::add\.Tensor: The size of tensor a \(3\) must match/,
    });
  });

  it('hands out lists, nothing for work in place, and null for what is not there', () => {
    const x = upload([1, 2, 3, 4], [2, 2]);
    const rows = addon.bind('aten::unbind', 'int')!(x, 0);
    made.push(...rows);
    assert.deepEqual(
      rows.map((row: Handle) => download(row, 2)),
      [
        [1, 2],
        [3, 4],
      ],
    );
    assert.equal(addon.bind('aten::add_', 'Tensor')!(x, x), undefined);
    assert.deepEqual(download(x, 4), [2, 4, 6, 8]);
    const one = upload([1], [1, 1, 1, 1]);
    const mask = [false, true, false];
    const parts = addon.bind('aten::convolution_backward', '')!(
      one,
      one,
      one,
      null,
      [1, 1],
      [0, 0],
      [1, 1],
      false,
      [0, 0],
      1,
      mask,
    );
    made.push(parts[1]);
    assert.deepEqual([parts[0], parts[2]], [null, null]);
  });

  it('reads and writes in row-major order and checks sizes', () => {
    const x = upload([1, 2, 3, 4, 5, 6], [2, 3]);
    const turned = addon.bind('aten::permute', '')!(x, [1, 0]);
    made.push(turned);
    assert.deepEqual(addon.shape(turned), [3, 2]);
    assert.deepEqual(download(turned, 6), [1, 4, 2, 5, 3, 6]);
    assert.throws(() => addon.readInto(x, new Float32Array(5)), /the tensor has 24 bytes, the array 20/);
    assert.throws(() => addon.fromBuffer(new Float32Array(5), [6], FLOAT, 'cpu'), /takes 24 bytes, the array has 20/);
    assert.throws(() => addon.fromBuffer([1] as never, [1], FLOAT, 'cpu'), /expected a typed array/);
  });

  it('knows whether memory is shared', () => {
    const x = upload([1, 2, 3, 4]);
    assert.equal(addon.isExclusive(x), true);
    const view = addon.bind('aten::slice', 'Tensor')!(x, 0, 1, 3);
    assert.equal(addon.isExclusive(x), false);
    addon.release(view);
    assert.equal(addon.isExclusive(x), true);
  });

  it('counts bytes in use and keeps freed blocks for later', () => {
    const bytes = 64 * 2 ** 20;
    addon.trim();
    const [before] = addon.memory();
    addon.resetPeak();
    const large = addon.bind('aten::empty', 'memory_format')!([bytes / 4], FLOAT);
    const [used, , peak] = addon.memory();
    assert.ok(used - before >= bytes && used - before <= bytes * 1.125, `${used - before} bytes for ${bytes}`);
    assert.equal(peak, used);
    addon.release(large);
    assert.equal(addon.memory()[0], before);
    assert.ok(addon.memory()[1] >= bytes, 'the block is kept');
    addon.trim();
    assert.equal(addon.memory()[1], 0);
  });

  it('takes a freed block that is a little larger, not one that is much larger', () => {
    const empty = addon.bind('aten::empty', 'memory_format')!;
    const megabytes = (count: number) => empty([count * 2 ** 18], FLOAT);
    addon.trim();
    addon.release(megabytes(64));
    const kept = addon.memory()[1];
    const little = megabytes(30);
    assert.equal(addon.memory()[1], kept);
    const near = megabytes(48);
    assert.equal(addon.memory()[1], 0);
    for (const each of [little, near]) addon.release(each);
    addon.trim();
  });

  it('does not keep the blocks of every size that ever was', () => {
    const empty = addon.bind('aten::empty', 'memory_format')!;
    addon.trim();
    addon.resetPeak();
    for (let megabytes = 64; megabytes < 1024; megabytes *= 1.15)
      addon.release(empty([Math.round(megabytes * 2 ** 18)], FLOAT));
    const [used, kept, peak] = addon.memory();
    assert.ok(used + kept <= peak * 1.25 + 2 ** 28, `${used + kept} bytes held, ${peak} at most in use`);
    addon.trim();
  });

  it('works in worker threads, whose tensors go with them', async () => {
    const path = addonPath(locateLibtorch());
    const code = `
      const { parentPort } = require('node:worker_threads');
      const addon = require(${JSON.stringify(path)});
      const x = addon.fromBuffer(new Float32Array(2 ** 20), [2 ** 20], ${FLOAT}, 'cpu');
      const y = new Float32Array(2 ** 20);
      addon.readInto(addon.bind('aten::exp', '')(x), y);
      parentPort.postMessage([addon.live(), y[7]]);`;
    const [before] = addon.memory();
    for (let i = 0; i < 2; i++) {
      const worker = new Worker(code, { eval: true });
      const [message] = await once(worker, 'message');
      assert.deepEqual(message, [2, 1]);
      await worker.terminate();
    }
    assert.equal(addon.memory()[0], before);
    assert.equal(addon.live(), live);
  });

  it('sets the number of threads', () => {
    const threads = addon.threads();
    addon.setThreads(1);
    assert.equal(addon.threads(), 1);
    addon.setThreads(threads);
  });

  it('gives the processor one stream and says what it lacks', () => {
    const stream = addon.currentStream('cpu');
    assert.equal(addon.setStream('cpu', stream), stream);
    assert.throws(() => addon.recordEvent('cpu', stream), /does(n't| not) support events/);
    assert.throws(() => addon.eventDone(7), /this event was released or never existed/);
    assert.throws(() => addon.currentStream('no-such-device'), { code: 'TORCH' });
    const x = upload([1, 2]);
    addon.recordStream(x, 'cpu', stream); // memory of the processor waits for nobody
    assert.throws(() => addon.recordStream(x, 'cuda', 0), /the tensor is not on the device of the stream/);
  });
});
