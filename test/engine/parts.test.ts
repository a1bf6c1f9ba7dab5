import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createRegistry } from '../../graph/registry.ts';
import { createArtifacts } from '../../runtime/engine/artifacts.ts';
import { createNodeRandom } from '../../runtime/engine/node-random.ts';
import { loadSchedules } from '../../runtime/engine/schedules.ts';
import { createState } from '../../runtime/engine/state.ts';
import { createRandom } from '../../runtime/random.ts';
import { openBackend } from '../../runtime/tensor/backend.ts';
import { compareSignatures, type Signature } from '../../runtime/train/compare.ts';
import { withFolder } from './fixtures/graph.ts';

describe('schedules written inline', () => {
  it('are made from the registry, nested ones too', async () => {
    const value = {
      schedule: 'composite',
      schedules: [
        { schedule: 'linear', start: 0, end: 1 },
        { schedule: 'constant', value: 5 },
      ],
      lengths: [0.5, 0.5],
    };
    const schedules = await loadSchedules([{ lr: value }], await createRegistry(), 10);
    const at = schedules.outermost(value);
    assert.deepEqual([0, 0.25, 0.75].map(at), [0, 0.5, 5]);
    assert.equal(schedules.outermost(0.3)(0.9), 0.3);
  });

  it('that are read per epoch hold the value of its begin', async () => {
    const value = { schedule: 'linear', start: 0, end: 1, update_interval: 'epoch' };
    const schedules = await loadSchedules([value], await createRegistry(), 3);
    const at = schedules.outermost(value);
    assert.deepEqual(
      [0, 0.2, 1 / 3, 0.5, 2 / 3, 0.99].map((where) => Number(at(where).toFixed(6))),
      [0, 0, 0.333333, 0.333333, 0.666667, 0.666667],
    );
  });

  it('of an unknown type are refused', async () => {
    const schedules = await loadSchedules([], await createRegistry(), 3);
    assert.throws(() => schedules.outermost({ schedule: 'none' }), /there is no schedule "none"/);
  });
});

describe('randomness of a node', () => {
  it('depends on seed, node and moment, not on what was drawn before', () => {
    const draw = (seed: number, node: string, before: number, ...moment: (string | number)[]): number => {
      const random = createNodeRandom(seed, node);
      for (let i = 0; i < before; i++) random.next();
      random.moment(...moment);
      return random.next();
    };
    const value = draw(1, 'a', 0, 'train', 2, 3);
    assert.equal(draw(1, 'a', 100, 'train', 2, 3), value);
    for (const other of [
      draw(2, 'a', 0, 'train', 2, 3),
      draw(1, 'b', 0, 'train', 2, 3),
      draw(1, 'a', 0, 'train', 2, 4),
    ]) {
      assert.notEqual(other, value);
    }
  });
});

describe('state of nodes', () => {
  it('begins with its initial values, or those of a checkpoint, and is put back by node', async () => {
    const backend = await openBackend('cpu');
    const before = backend.memory();
    const random = createRandom(0);
    const fresh = createState(backend);
    const store = fresh.forNode('loss', random);
    const queue = store.tensor('queue', [2, 2], 'float32', () => Float32Array.of(1, 2, 3, 4));
    const labels = store.tensor('labels', [2], 'int32', () => -1);
    const pointer = store.number('pointer', 7);
    assert.deepEqual([...(await queue.data())], [1, 2, 3, 4]);
    assert.deepEqual([...(await labels.data())], [-1, -1]);
    pointer.value = 9;
    const saved = fresh.tensors(() => true);
    assert.deepEqual(
      saved.map(({ name, dtype, shape }) => [name, dtype, shape]),
      [
        ['loss.queue', 'F32', [2, 2]],
        ['loss.labels', 'I32', [2]],
      ],
    );
    assert.deepEqual(fresh.numbers(), { 'loss.pointer': 9 });
    fresh.dispose();

    const tensors = new Map([['loss.queue', { shape: [2, 2], values: Float32Array.of(5, 6, 7, 8) }]]);
    const restored = createState(backend, { tensors, numbers: { 'loss.pointer': 3 } });
    const again = restored.forNode('loss', random);
    const second = again.tensor('queue', [2, 2], 'float32', () => 0);
    const number = again.number('pointer', 7);
    assert.deepEqual([...(await second.data()), number.value], [5, 6, 7, 8, 3]);
    number.value = 0;
    backend.tf.tidy(() => second.assign(backend.tf.zeros([2, 2])));
    restored.restore('other');
    assert.equal(number.value, 0);
    restored.restore('loss');
    assert.deepEqual([...(await second.data()), number.value], [5, 6, 7, 8, 3]);
    assert.throws(() => again.number('pointer', 1), /loss declares the state pointer twice/);
    restored.dispose();

    const other = createState(backend, { tensors, numbers: {} });
    assert.throws(
      () => other.forNode('loss', random).tensor('queue', [3], 'float32', () => 0),
      /state loss\.queue has shape \[3\], but \[2,2\] in the checkpoint/,
    );
    assert.throws(
      () => other.forNode('loss', random).tensor('short', [3], 'float32', () => Float32Array.of(1)),
      /begins with 1 values instead of 3/,
    );
    assert.deepEqual(backend.memory(), before);
  });
});

describe('artifacts', () => {
  it('come back as they were, by key', () =>
    withFolder(async (out) => {
      const backend = await openBackend('cpu');
      const { tf } = backend;
      const store = createArtifacts(out, backend);
      const tensor = tf.tensor2d([1, 2, 3, 4], [2, 2]);
      const value = {
        features: Float32Array.of(1.5, -2),
        labels: Int32Array.of(3, 4),
        names: ['a', 'b'],
        nested: { count: 2, none: null, center: tensor, list: [tensor, 'x'] },
      };
      assert.equal(await store.load('bank.bank', 'k'), undefined);
      await store.save('bank.bank', 'k', value);
      assert.equal(await store.load('bank.bank', 'other'), undefined);
      const back = (await store.load('bank.bank', 'k')) as typeof value;
      assert.deepEqual(back.features, value.features);
      assert.deepEqual(back.labels, value.labels);
      assert.deepEqual(back.names, value.names);
      assert.deepEqual([back.nested.count, back.nested.none, back.nested.list[1]], [2, null, 'x']);
      assert.deepEqual(await back.nested.center.array(), [
        [1, 2],
        [3, 4],
      ]);
      assert.equal((await readdir(join(out, 'artifacts'))).length, 1);
      await assert.rejects(store.save('bank.bank', 'k', { big: new BigInt64Array(1) }), /kept as plain data, tensors/);
      for (const held of [tensor, back.nested.center, back.nested.list[0] as typeof tensor]) held.dispose();
    }));
});

describe('signatures', () => {
  const node = (role: string, params: object) => ({ type: `${role}/a`, role, params, inputs: { '*.x': ['a.b'] } });
  const base: Signature = {
    nodes: { data: node('dataset', { path: '/a' }), loss: node('loss', { t: 0.1, list: [1, 2] }) },
    run: { seed: 0 },
  };

  it('that are equal have no differences', () => {
    assert.deepEqual(compareSignatures(base, structuredClone(base)), []);
  });

  it('are compared value by value; a dataset elsewhere is harmless', () => {
    const now: Signature = {
      nodes: {
        data: node('dataset', { path: '/b' }),
        loss: node('loss', { t: 0.2, list: [1, 3, 4] }),
        extra: node('compute', {}),
      },
      run: { seed: 1 },
    };
    const found = compareSignatures(base, now);
    assert.deepEqual(
      found.map(({ where, before, now: after, harmless }) => [where, before, after, harmless]),
      [
        ['nodes.data.params.path', '/a', '/b', true],
        ['nodes.loss.params.t', 0.1, 0.2, false],
        ['nodes.loss.params.list.1', 2, 3, false],
        ['nodes.loss.params.list.2', undefined, 4, false],
        ['nodes.extra', undefined, 'compute/a', false],
        ['run.seed', 0, 1, false],
      ],
    );
  });

  it('do not take a name for a property that all objects have', () => {
    const odd: Signature = { nodes: { constructor: node('loss', {}) }, run: {} };
    assert.equal(compareSignatures({ nodes: {}, run: {} }, odd).length, 1);
  });
});
