import assert from 'node:assert/strict';
import type { Layer, ModelSpec } from '../../graph/model/layers.ts';
import { createRandom } from '../../runtime/random.ts';
import { split } from '../../runtime/tensor/model/split.ts';
import { createModel, type Model, type ModelOptions } from '../../runtime/tensor/model.ts';
import type { Tensor, TensorBackend } from '../../runtime/tensor/types.ts';
import { leakFree, onBackend, onEachBackend, values } from './support.ts';

const conv = (from: number, to: number, stride = 1): Layer => ({
  op: 'conv2d',
  in: from,
  out: to,
  kernel: [3, 3],
  padding: [1, 1],
  stride: [stride, stride],
  bias: false,
});
const named = (name: string, layer: Layer): Layer => ({ ...layer, name }) as Layer;

/** A residual block with dropped paths; the shortcut is the identity, or a convolution where the width changes. */
const block = (name: string, from: number, to: number): Layer => ({
  op: 'residual',
  name,
  main: {
    op: 'sequence',
    layers: [
      named('conv1', conv(from, to)),
      named('bn1', { op: 'batch_norm', features: to }),
      { op: 'relu' },
      named('conv2', conv(to, to)),
      named('bn2', { op: 'batch_norm', features: to }),
    ],
  },
  ...(from === to ? {} : { shortcut: named('downsample', conv(from, to)) }),
  activation: 'relu',
  dropPath: 0.3,
});

/** Two outputs are read, so that one of them goes on into the next part. */
const spec: ModelSpec = {
  stages: [
    { name: 'conv1', layer: conv(3, 4) },
    { name: 'bn1', layer: { op: 'batch_norm', features: 4 } },
    { name: 'relu', layer: { op: 'relu' } },
    { name: 'layer1', layer: { op: 'sequence', layers: [block('0', 4, 4), block('1', 4, 4)] } },
    { name: 'layer2', layer: { op: 'sequence', layers: [block('0', 4, 6), block('1', 6, 6)] } },
    { name: 'drop', layer: { op: 'dropout', p: 0.4 } },
    { name: 'pool', layer: { op: 'adaptive_avg_pool', size: [1, 1] } },
  ],
  outputs: {
    early: { stage: 'layer1', layer: { op: 'adaptive_avg_pool', size: [1, 1] } },
    late: { stage: 'pool', layer: { op: 'flatten' } },
  },
};

interface Step {
  readonly gradients: (Float32Array | null)[];
  readonly buffers: Float32Array[];
  /** bytes that the forward pass has left for the backward pass */
  readonly kept: number;
}

function step(backend: TensorBackend, model: Model, sizes: readonly number[]): Step {
  const { tf } = backend;
  return backend.scope(() => {
    const views = sizes.map((size, i) => values(backend, i, [3, size, size, 3]));
    const variables = [...model.variables.values()];
    const trained = variables.filter(({ trainable }) => trainable).map(({ variable }) => variable);
    const before = backend.memory().bytes;
    const tape = backend.openTape();
    const { early, late } = model.forward(views, {
      training: true,
      outputs: ['early', 'late'],
      random: createRandom(3, 'step'),
    }) as Record<string, Tensor>;
    const loss = tf.add(tf.sum(tf.square(early)), tf.sum(tf.sin(late)));
    const kept = backend.memory().bytes - before;
    const gradients = tape.backward(loss, trained).map((g) => g && (g.dataSync().slice() as Float32Array));
    const buffers = variables
      .filter(({ kind }) => kind !== 'weight' && kind !== 'bias')
      .map(({ variable }) => variable.dataSync().slice() as Float32Array);
    return { gradients, buffers, kept };
  });
}

async function withModel<T>(backend: TensorBackend, options: ModelOptions, use: (model: Model) => T): Promise<T> {
  let result: T;
  await leakFree(backend, () => {
    const model = createModel(backend, spec, createRandom(1, 'model'), options);
    result = use(model);
    model.dispose();
  });
  return result!;
}

onEachBackend('activation checkpointing', (get) => {
  for (const sizes of [[8], [8, 6], [6, 8, 6]]) {
    it(`gradients and running statistics are the same bit for bit, views of ${sizes.join(', ')}`, async () => {
      const plain = await withModel(get(), {}, (model) => step(get(), model, sizes));
      assert.ok(plain.gradients.every((g) => g?.some((value) => value !== 0)));
      assert.deepEqual(plain.buffers.at(-1), Int32Array.of(sizes.length), 'batches are counted');
      for (const recomputedParts of [2, 3, 5, 100]) {
        const { gradients, buffers, kept } = await withModel(get(), { recomputedParts }, (model) =>
          step(get(), model, sizes),
        );
        assert.deepEqual(gradients, plain.gradients, `${recomputedParts} parts`);
        assert.deepEqual(buffers, plain.buffers, `${recomputedParts} parts`);
        // in 100 parts each keeps its own input, which is most of what there is to keep
        if (recomputedParts < 100)
          assert.ok(kept < 0.75 * plain.kept, `${recomputedParts} parts keep ${kept} of ${plain.kept} bytes`);
      }
    });
  }

  it('gradients are the same where ranks share the statistics of a batch', async () => {
    const asked: number[][] = [];
    const twice = (lengths: number[]) => ({
      size: 2,
      gather(values: Float32Array) {
        lengths.push(values.length);
        return Float32Array.from([...values, ...values]); // the other rank has the same images
      },
    });
    const run = (recomputedParts: number) => {
      const lengths: number[] = [];
      asked.push(lengths);
      const options = { recomputedParts, batchNormGroup: twice(lengths) };
      return withModel(get(), options, (model) => step(get(), model, [8, 6]));
    };
    const [plain, dropped] = [await run(1), await run(3)];
    assert.deepEqual(dropped.gradients, plain.gradients);
    assert.deepEqual(dropped.buffers, plain.buffers);
    assert.ok(asked[1].length > asked[0].length, 'what is computed again is exchanged again');
  });

  it('a step after another begins with the same statistics', async () => {
    const two = (options: ModelOptions) =>
      withModel(get(), options, (model) => [step(get(), model, [8]), step(get(), model, [6])].map((s) => s.buffers));
    assert.deepEqual(await two({ recomputedParts: 3 }), await two({}));
  });

  it('without a tape, and in evaluation, nothing is kept and nothing changes', async () => {
    const backend = get();
    const run = (options: ModelOptions) =>
      withModel(backend, options, (model) =>
        backend.scope(() => {
          const x = values(backend, 0, [2, 8, 8, 3]);
          const outputs = ['late'];
          const training = backend.ops.noGrad(
            () => model.forward(x, { training: true, outputs, random: createRandom(3, 'step') }).late as Tensor,
          );
          const evaluated = model.forward(x, { training: false, outputs }).late as Tensor;
          return [training, evaluated].map((t) => t.dataSync().slice());
        }),
      );
    assert.deepEqual(await run({ recomputedParts: 4 }), await run({}));
  });

  it('an error while computing again is the error, and leaves nothing behind', async () => {
    const backend = get();
    const { tf, ops } = backend;
    await leakFree(backend, () => {
      let calls = 0;
      const failing = { ...backend, ops: { ...ops, conv2d: fail } } as TensorBackend;
      function fail(...given: Parameters<typeof ops.conv2d>): Tensor {
        if (++calls > 1) throw new Error('not again');
        return ops.conv2d(...given);
      }
      const stages = [spec.stages[0], spec.stages[6], { name: 'last', layer: { op: 'relu' } as Layer }];
      const model = createModel(failing, { stages, outputs: { y: { stage: 'last' } } }, createRandom(1), {
        recomputedParts: 2,
      });
      const variables = [...model.variables.values()].map(({ variable }) => variable);
      assert.throws(
        () =>
          backend.scope(() => {
            const tape = backend.openTape();
            const { y } = model.forward(values(backend, 0, [1, 4, 4, 3]), { training: true, outputs: ['y'] });
            tape.backward(tf.sum(y as Tensor), variables);
          }),
        /^Error: not again$/,
      );
      model.dispose();
    });
  });

  it('what no gradient passes through is not computed again', async () => {
    const backend = get();
    const { tf, ops } = backend;
    await leakFree(backend, () => {
      let calls = 0;
      const counting = {
        ...backend,
        ops: {
          ...ops,
          conv2d: (...given: Parameters<typeof ops.conv2d>) => {
            calls++;
            return ops.conv2d(...given);
          },
        },
      } as TensorBackend;
      const stem = { ...conv(3, 4), trainable: false } as Layer;
      const stages = [
        { name: 'stem', layer: { op: 'sequence', layers: [stem, { op: 'identity' }, { op: 'relu' }] } as Layer },
        { name: 'own', layer: { op: 'sequence', layers: [conv(4, 4), { op: 'tanh' }] } as Layer },
        { name: 'more', layer: { op: 'sequence', layers: [{ op: 'tanh' }, { op: 'tanh' }] } as Layer },
        { name: 'last', layer: { op: 'sequence', layers: [{ op: 'tanh' }, { op: 'tanh' }] } as Layer },
      ];
      const model = createModel(counting, { stages, outputs: { y: { stage: 'last' } } }, createRandom(1), {
        recomputedParts: 4,
      });
      const own = model.variables.get('own.weight')!.variable;
      backend.scope(() => {
        const tape = backend.openTape();
        const { y } = model.forward(values(backend, 0, [1, 4, 4, 3]), { training: true, outputs: ['y'] });
        const [gradient] = tape.backward(tf.sum(y as Tensor), [own]);
        assert.ok(gradient);
      });
      assert.equal(calls, 3, 'the stem once, the other twice');
      model.dispose();
    });
  });
});

onBackend('torch', 'activation checkpointing: memory', (get) => {
  it('the most bytes in use at once fall', async () => {
    const { addon } = await import('../../runtime/tensor/backends/torch/aten.ts');
    const layers = Array.from({ length: 16 }, (_, i) => block(String(i), 8, 8));
    const deep: ModelSpec = {
      stages: [
        { name: 'conv', layer: conv(3, 8) },
        { name: 'blocks', layer: { op: 'sequence', layers } },
      ],
      outputs: { y: { stage: 'blocks' } },
    };
    const peak = async (recomputedParts: number): Promise<number> => {
      const backend = get();
      const model = createModel(backend, deep, createRandom(1, 'model'), { recomputedParts });
      const variables = [...model.variables.values()].filter(({ trainable }) => trainable).map((v) => v.variable);
      const [before] = addon.memory();
      addon.resetPeak();
      backend.scope(() => {
        const x = values(backend, 0, [8, 32, 32, 3]);
        const tape = backend.openTape();
        const { y } = model.forward(x, { training: true, outputs: ['y'], random: createRandom(3) });
        tape.backward(backend.tf.sum(y as Tensor), variables);
      });
      model.dispose();
      return addon.memory()[2] - before;
    };
    const [all, parts] = [await peak(1), await peak(4)];
    assert.ok(parts < 0.5 * all, `${parts} bytes in 4 parts, ${all} without`);
  });
});

describe('splitting into parts', () => {
  const parts = (lists: number[][], count: number) => split(lists, count, (weight) => weight);

  it('halves the heaviest until there are enough', () => {
    assert.deepEqual(parts([[1, 1, 1, 1, 1]], 1), [[[1, 1, 1, 1, 1]]]);
    assert.deepEqual(parts([[1, 1, 1, 1]], 2), [[[1, 1], [1, 1]]]); // biome-ignore format: one line
    assert.deepEqual(parts([[9, 1, 1, 1]], 2), [[[9], [1, 1, 1]]]);
    assert.deepEqual(parts([[9, 1, 1, 1]], 3), [[[9], [1], [1, 1]]]);
    assert.deepEqual(parts([[4, 4], [1, 1, 1, 1]], 3), [[[4], [4]], [[1, 1, 1, 1]]]); // biome-ignore format: one line
  });

  it('stops where there is nothing left to cut', () => {
    assert.deepEqual(parts([[], [2, 1]], 9), [[[]], [[2], [1]]]);
  });
});
