import assert from 'node:assert/strict';
import { isRight } from 'fp-ts/lib/Either.js';
import type { Layer, ModelSpec } from '../../graph/model/layers.ts';
import { summarize } from '../../graph/model/summary.ts';
import { createRandom } from '../../runtime/random.ts';
import { activations, localResponseNorm } from '../../runtime/tensor/model/activations.ts';
import { fromTorch, torchShape, toTorch } from '../../runtime/tensor/model/layout.ts';
import { createModel } from '../../runtime/tensor/model.ts';
import type { Tensor, TensorBackend } from '../../runtime/tensor/types.ts';
import { resnet18 } from '../bench/resnet18.ts';
import { checkGradients, leakFree, near, onEachBackend, size, values } from './support.ts';

const conv = (from: number, to: number, name?: string): Layer => ({
  op: 'conv2d',
  name,
  in: from,
  out: to,
  kernel: [3, 3],
  padding: [1, 1],
});

/** conv, batch norm and ReLU as stages of their own; the last stage does not fit, so running it would fail. */
const small: ModelSpec = {
  stages: [
    { name: 'conv', layer: conv(2, 4) },
    { name: 'norm', layer: { op: 'batch_norm', features: 4 } },
    { name: 'relu', layer: { op: 'relu' } },
    { name: 'same', layer: { op: 'identity' } },
    { name: 'pool', layer: { op: 'adaptive_avg_pool', size: [1, 1] } },
    { name: 'broken', layer: { op: 'linear', in: 99, out: 2 } },
  ],
  outputs: {
    normed: { stage: 'norm' },
    map: { stage: 'relu' },
    again: { stage: 'same' },
    features: { stage: 'pool', layer: { op: 'flatten' } },
    both: [{ stage: 'relu' }, { stage: 'pool' }],
    broken: { stage: 'broken' },
  },
};

function withModel(backend: TensorBackend, spec: ModelSpec, f: (model: ReturnType<typeof createModel>) => void): void {
  const model = createModel(backend, spec, createRandom(1, 'model'));
  try {
    backend.scope(() => f(model));
  } finally {
    model.dispose();
  }
}

onEachBackend('models', (get) => {
  it('have the parameters and buffers that the description names, in its order', async () => {
    const spec = resnet18(10);
    const summary = summarize(spec, [[[2], [32], [32], [3]]]);
    assert.ok(isRight(summary));
    await leakFree(get(), () =>
      withModel(get(), spec, ({ variables }) => {
        const of = (...kinds: string[]) => [...variables.values()].filter(({ kind }) => kinds.includes(kind));
        assert.deepEqual(
          of('weight', 'bias').map(({ name, shape, trainable }) => ({ name, shape: [...shape], trainable })),
          summary.right.parameters.map(({ name, shape, trainable }) => ({ name, shape: [...shape], trainable })),
        );
        assert.deepEqual(
          of('running_mean', 'running_var', 'num_batches_tracked').map(({ name }) => name),
          summary.right.buffers.map(({ name }) => name),
        );
        assert.equal(variables.size, 122);
        assert.deepEqual([...variables.keys()].slice(0, 3), ['conv1.weight', 'bn1.weight', 'bn1.bias']);
        assert.equal(variables.get('layer2.0.downsample.0.weight')!.variable.shape.join(), '1,1,64,128');
        assert.equal(variables.get('layer2.0.downsample.1.num_batches_tracked')!.variable.dtype, 'int32');
      }),
    );
  });

  it('begin with PyTorch’s initial values, drawn per name', () => {
    const spec: ModelSpec = {
      prefix: 'p',
      stages: [
        { name: 'a', layer: { ...(conv(8, 16) as object), init: { kind: 'pytorch', scale: 2 } } as Layer },
        { name: 'b', layer: { ...(conv(16, 8) as object), init: { kind: 'kaiming_normal', fan: 'out' } } as Layer },
        { name: 'c', layer: { op: 'linear', in: 2, out: 3, init: { kind: 'values', values: [1, 2, 3, 4, 5, 6] } } },
      ],
      outputs: {},
    };
    withModel(get(), spec, ({ variables }) => {
      const data = (name: string) => variables.get(name)!.variable.dataSync() as Float32Array;
      const bound = 2 / Math.sqrt(8 * 9);
      for (const name of ['p.a.weight', 'p.a.bias'])
        assert.ok(
          data(name).every((v) => Math.abs(v) <= bound),
          name,
        );
      const largest = Math.max(...data('p.a.weight').map(Math.abs));
      assert.ok(largest > 0.98 * bound);
      const deviation = Math.sqrt(data('p.b.weight').reduce((sum, v) => sum + v * v, 0) / (16 * 9 * 8));
      assert.ok(Math.abs(deviation / Math.sqrt(2 / (8 * 9)) - 1) < 0.1, `standard deviation ${deviation}`);
      assert.deepEqual([...data('p.c.weight')], [1, 3, 5, 2, 4, 6]);
      withModel(get(), { ...spec, stages: spec.stages.slice(1) }, (other) => {
        assert.deepEqual(other.variables.get('p.b.weight')!.variable.dataSync(), data('p.b.weight'));
      });
    });
  });

  it('compute what is asked for, and stop there', () => {
    const backend = get();
    withModel(backend, small, (model) => {
      const x = values(backend, 0, [3, 5, 5, 2]);
      const { features } = model.forward(x, { training: false, outputs: ['features'] });
      assert.deepEqual((features as Tensor).shape, [3, 4]);
      const { normed, map, both } = model.forward(x, { training: false, outputs: ['normed', 'map', 'both'] });
      const raw = (normed as Tensor).dataSync();
      assert.ok(
        raw.some((v) => v < 0),
        'the norm is read before ReLU',
      );
      near(
        (map as Tensor).dataSync(),
        raw.map((v) => Math.max(v, 0)),
        1e-6,
        'ReLU of it',
      );
      assert.deepEqual(
        (both as Tensor[]).map((t) => t.shape.length),
        [4, 4],
      );
      const fused = model.forward(x, { training: false, outputs: ['map'] }).map as Tensor;
      near(fused.dataSync(), (map as Tensor).dataSync(), 1e-6, 'fused');
      assert.throws(() => model.forward(x, { training: false, outputs: ['broken'] }));
      assert.throws(
        () => model.forward(x, { training: false, outputs: ['nothing'] }),
        /no output 'nothing'; it has normed/,
      );
    });
  });

  it('hand out each output as a tensor of its own', () => {
    const backend = get();
    withModel(backend, small, (model) => {
      const x = values(backend, 0, [2, 4, 4, 2]);
      const { map, again } = model.forward(x, { training: false, outputs: ['map', 'again'] });
      (map as Tensor).dispose();
      assert.equal((again as Tensor).dataSync().length, 2 * 4 * 4 * 4);
    });
  });

  it('take groups of images: alike results are joined, others listed', () => {
    const backend = get();
    withModel(backend, small, (model) => {
      const groups = [values(backend, 0, [2, 6, 6, 2]), values(backend, 1, [3, 4, 4, 2])];
      const { features, map } = model.forward(groups, { training: false, outputs: ['features', 'map'] });
      assert.deepEqual((features as Tensor).shape, [5, 4]);
      assert.deepEqual(
        (map as Tensor[]).map((t) => t.shape[1]),
        [6, 4],
      );
      const second = model.forward(groups[1], { training: false, outputs: ['features'] }).features as Tensor;
      near((features as Tensor).dataSync().slice(8), second.dataSync(), 1e-6, 'the second group');
    });
  });

  it('update statistics in training, unless frozen', () => {
    const backend = get();
    for (const frozen of [false, true]) {
      withModel(backend, { ...small, frozen }, ({ variables, forward }) => {
        const x = values(backend, 0, [2, 4, 4, 2]);
        const read = (name: string) => Array.from(variables.get(name)!.variable.dataSync());
        forward(x, { training: false, outputs: ['map'] });
        assert.deepEqual(read('norm.num_batches_tracked'), [0]);
        forward([x, x], { training: true, outputs: ['map'] });
        assert.deepEqual(read('norm.num_batches_tracked'), [frozen ? 0 : 2]);
        assert.equal(
          read('norm.running_mean').every((v) => v === 0),
          frozen,
        );
        assert.equal(
          [...variables.values()].some(({ trainable }) => trainable),
          !frozen,
        );
      });
    }
  });

  it('drop values by the stream of the step, in training only', () => {
    const backend = get();
    const spec: ModelSpec = {
      stages: [{ name: 'drop', layer: { op: 'dropout', p: 0.25 } }],
      outputs: { y: { stage: 'drop' } },
    };
    withModel(backend, spec, (model) => {
      const x = backend.tf.ones([100, 100]);
      const run = (training: boolean, seed?: number) => {
        const random = seed === undefined ? undefined : createRandom(seed);
        return (model.forward(x, { training, outputs: ['y'], random }).y as Tensor).dataSync();
      };
      const first = run(true, 1);
      assert.deepEqual(run(true, 1), first);
      assert.notDeepEqual(run(true, 2), first);
      const kept = first.filter((v) => v !== 0);
      assert.ok(Math.abs(kept.length / 1e4 - 0.75) < 0.03);
      near(
        kept,
        kept.map(() => 4 / 3),
        1e-6,
        'kept values',
      );
      assert.ok(run(false).every((v) => v === 1));
      assert.throws(() => run(true), /needs the random stream/);
    });
  });

  it('train: the loss falls, gradients reach every parameter, nothing is left behind', async () => {
    const backend = get();
    const { tf, ops } = backend;
    const spec: ModelSpec = {
      stages: [
        { name: 'stem', layer: conv(2, 4) },
        {
          name: 'body',
          layer: {
            op: 'sequence',
            layers: [
              { op: 'batch_norm', name: 'bn', features: 4 },
              { op: 'relu' },
              {
                op: 'residual',
                name: 'block',
                main: { op: 'sequence', layers: [conv(4, 4, 'conv'), { op: 'batch_norm', name: 'bn', features: 4 }] },
              },
              { op: 'residual', name: 'plain', main: conv(4, 4, 'conv'), activation: 'none' },
              {
                op: 'gate',
                name: 'se',
                gate: {
                  op: 'sequence',
                  layers: [
                    { op: 'adaptive_avg_pool', size: [1, 1] },
                    { op: 'conv2d', name: 'fc', in: 4, out: 4, kernel: [1, 1] },
                    { op: 'sigmoid' },
                  ],
                },
              },
              { op: 'swish' },
              { op: 'adaptive_max_pool', size: [2, 2] },
              { op: 'flatten' },
            ],
          },
        },
        { name: 'fc', layer: { op: 'linear', in: 16, out: 3 } },
      ],
      outputs: { scores: { stage: 'fc' } },
    };
    await leakFree(backend, () =>
      withModel(backend, spec, ({ variables, forward }) => {
        const parameters = [...variables.values()].filter((v) => v.trainable).map((v) => v.variable);
        const velocities = parameters.map((p) => backend.scope(() => tf.variable(tf.zerosLike(p))));
        const x = values(backend, 0, [8, 5, 5, 2]);
        const labels = tf.tensor1d([0, 1, 2, 0, 1, 2, 0, 1], 'int32');
        const losses: number[] = [];
        for (let step = 0; step < 12; step++) {
          const before = backend.memory();
          backend.scope(() => {
            const tape = backend.openTape();
            const { scores } = forward(x, { training: true, outputs: ['scores'] });
            const loss = ops.crossEntropy(scores as Tensor, labels);
            losses.push(loss.dataSync()[0]);
            const gradients = tape.backward(loss, parameters);
            assert.ok(gradients.every((g) => g !== null));
            const options = { lr: 0.1, momentum: 0.9, weightDecay: 0, nesterov: true };
            ops.sgd(parameters, gradients as Tensor[], velocities, step > 0, options);
          });
          assert.deepEqual(backend.memory(), before);
        }
        assert.ok(losses.at(-1)! < 0.5 * losses[0], String(losses));
        tf.dispose(velocities);
      }),
    );
  });

  it('activations and local response norm: values of their formulas, gradients by differences', () => {
    const backend = get();
    const { tf } = backend;
    backend.scope(() => {
      const x = tf.tensor1d([-3, -1, 0, 0.5, 2]);
      // x·Φ(x) and x·σ(x), computed with 30 digits
      near(activations.gelu(x).dataSync(), [-0.00404969409, -0.158655254, 0, 0.345731231, 1.95449974], 1e-6, 'gelu');
      near(activations.swish(x).dataSync(), [-0.14227762, -0.268941421, 0, 0.311229666, 1.76159416], 1e-6, 'swish');
      const lrn = { op: 'local_response_norm', size: 5, alpha: 0.5, beta: 0.75, k: 2 } as const;
      const map = values(backend, 0, [1, 2, 2, 7]);
      const data = map.dataSync();
      const want = Array.from(data, (v, i) => {
        const c = i % 7;
        let sum = 0;
        for (let j = Math.max(c - 2, 0); j <= Math.min(c + 2, 6); j++) sum += data[i - c + j] ** 2;
        return v / (2 + (0.5 / 5) * sum) ** 0.75;
      });
      near(localResponseNorm(map, lrn).dataSync(), want, 1e-6, 'local response norm');
      checkGradients(backend, [map], (t) => localResponseNorm(t, lrn));
      checkGradients(backend, [values(backend, 1, [9])], (t) => activations.gelu(tf.mul(t, 2)));
      checkGradients(backend, [values(backend, 1, [9])], (t) => activations.swish(tf.mul(t, 2)));
    });
  });
});

describe('weight layouts', () => {
  it('go to PyTorch’s and back', () => {
    for (const shape of [[3, 2, 4, 5], [4, 5], [6], []]) {
      const ours = Float32Array.from({ length: size(shape) }, (_, i) => i);
      const theirs = toTorch(ours, shape);
      assert.deepEqual(fromTorch(theirs, shape), ours);
      if (shape.length === 4) {
        assert.deepEqual(torchShape(shape), [5, 4, 3, 2]);
        // ours[h=2, w=1, i=3, o=4] is theirs[o=4, i=3, h=2, w=1]
        assert.equal(theirs[((4 * 4 + 3) * 3 + 2) * 2 + 1], ours[((2 * 2 + 1) * 4 + 3) * 5 + 4]);
      }
    }
  });
});
